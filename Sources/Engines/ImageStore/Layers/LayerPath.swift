// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A path inside an image, without leading slash; the root is the empty path.
///
/// Compared byte by byte: names that Unicode calls equivalent are two files on Linux.
struct LayerPath: Hashable, Comparable, CustomStringConvertible, Sendable {
    let text: String

    /// `text` has no leading, trailing or doubled slash and no `.` or `..`.
    init(_ text: String) { self.text = text }

    var description: String { "/" + text }
    var isRoot: Bool { text.isEmpty }
    var components: [Substring] { text.split(separator: "/") }

    /// The folder that holds this path; the root holds itself.
    var parent: LayerPath {
        guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return LayerPath("") }
        return LayerPath(String(text[..<slash]))
    }

    var lastComponent: String {
        guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return text }
        return String(text[text.index(after: slash)...])
    }

    func appending(_ name: String) -> LayerPath { LayerPath(isRoot ? name : "\(text)/\(name)") }

    static func == (left: LayerPath, right: LayerPath) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }
    static func < (left: LayerPath, right: LayerPath) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
    }
}

extension LayerPath {
    /// An absolute path with its `.`, `..` and doubled slashes worked out.
    struct Normalised {
        var path: LayerPath
        /// Folders that were entered and left again by `..`; the kernel demands that they exist.
        var passed: [LayerPath]
    }

    static func normalising(_ absolute: String) -> Normalised {
        var path = LayerPath("")
        var passed: [LayerPath] = []
        for component in absolute.split(separator: "/") where component != "." {
            guard component == ".." else {
                path = path.appending(String(component))
                continue
            }
            if !path.isRoot { passed.append(path) }
            path = path.parent
        }
        return Normalised(path: path, passed: passed)
    }
}
