// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// One folder in which a loader looks: where it is in the image, and where the same folder is on this machine.
struct SearchFolder: Hashable, Sendable {
    /// What decides in which layer a library found here goes.
    enum Origin: Hashable, Sendable {
        /// Found by a path relative to the program: belongs to the app.
        case program
        /// Found by an absolute path, or beside a library that was.
        case absolute
        /// One of the loader's own folders.
        case system
    }

    var image: String
    var host: String
    var origin: Origin
}

/// An object the loader has mapped while it works through a program's libraries.
struct LoadedObject {
    var name: String
    var elf: ELFObject
    /// `$ORIGIN` in the image and on this machine.
    var imageFolder: String
    var hostFolder: String
    var origin: SearchFolder.Origin
    /// The object that asked for it, by position in the order of loading; `nil` for the program.
    var parent: Int?
}

/// Expands a `DT_RPATH`, `DT_RUNPATH` or a library name with slashes, as the loader does.
struct SearchPath {
    let loader: Loader
    /// Where absolute paths start on this machine; empty but in tests.
    let root: String

    /// The folders of a colon-separated list; those relative to the working directory are left out.
    func folders(_ list: String, of object: LoadedObject) -> [SearchFolder] {
        list.split(separator: ":").compactMap { expand(String($0), of: object) }
    }

    func expand(_ text: String, of object: LoadedObject) -> SearchFolder? {
        let isRelative = ["$ORIGIN", "${ORIGIN}"].contains { text.hasPrefix($0) }
        let image = substitute(text, object, origin: object.imageFolder)
        guard image.hasPrefix("/") else { return nil }
        guard isRelative else { return SearchFolder(image: image, host: root + image, origin: .absolute) }
        let origin: SearchFolder.Origin = object.origin == .program ? .program : .absolute
        return SearchFolder(image: image, host: substitute(text, object, origin: object.hostFolder), origin: origin)
    }

    private func substitute(_ text: String, _ object: LoadedObject, origin: String) -> String {
        var result = ""
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            let tokens = [
                ("ORIGIN", origin), ("LIB", loader.library), ("PLATFORM", Self.platform(object.elf.machine)),
            ]
            guard let (token, value) = tokens.lazy.compactMap({ Self.token($0.0, $0.1, at: rest) }).first else {
                result += "$"
                rest = rest.dropFirst()
                continue
            }
            result += value
            rest = rest.dropFirst(token)
        }
        return result + rest
    }

    /// The token's length in the text, where the text starts with it.
    private static func token(_ name: String, _ value: String, at text: Substring) -> (Int, String)? {
        if text.hasPrefix("${\(name)}") { return (name.count + 3, value) }
        guard text.hasPrefix("$\(name)") else { return nil }
        let next = text.dropFirst(name.count + 1).first
        let isLonger = next.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false
        return isLonger ? nil : (name.count + 1, value)
    }

    private static func platform(_ machine: UInt16) -> String {
        switch machine {
        case 62: "x86_64"
        case 183: "aarch64"
        case 243: "riscv64"
        default: ""
        }
    }
}
