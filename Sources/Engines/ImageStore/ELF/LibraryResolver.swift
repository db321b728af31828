// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A shared library a program needs: the path at which its loader finds it in the image, and its file on this machine.
struct ResolvedLibrary: Hashable, Sendable {
    var image: LayerPath
    /// Folders the loader passes through on its way, which have to exist.
    var passed: [LayerPath]
    var host: String
    var origin: SearchFolder.Origin
}

/// Why a program's libraries could not be worked out.
struct LibraryError: Error, CustomStringConvertible {
    var description: String
}

/// Does the dynamic loader's work ahead of time: finds every library a program needs, and the libraries those need.
///
/// The search follows glibc: `DT_RPATH` of the object and of those that asked for it (unless it has a `DT_RUNPATH`),
/// `LD_LIBRARY_PATH` of the image, `DT_RUNPATH`, `/etc/ld.so.cache`, the loader's own folders. In each folder a file the
/// image brings itself comes first, then the file at the matching place on this machine.
struct LibraryResolver {
    /// Where absolute paths start on this machine; empty but in tests.
    let root: String
    /// `LD_LIBRARY_PATH` as the image sets it.
    let libraryPath: String
    /// The source of a file that the image brings itself, by its path there.
    let provided: (LayerPath) -> String?

    private let cache: LoaderCache

    init(root: String = "", libraryPath: String = "", provided: @escaping (LayerPath) -> String? = { _ in nil }) {
        self.root = root
        self.libraryPath = libraryPath
        self.provided = provided
        let bytes = try? Folder.contents(of: "\(root)/etc/ld.so.cache")
        cache = bytes.map { LoaderCache(parsing: $0) } ?? LoaderCache()
    }

    /// The libraries of the ELF file at `source`, which will be at `destination`, with its interpreter first.
    func libraries(of source: String, at destination: LayerPath, _ elf: ELFObject) throws -> [ResolvedLibrary] {
        guard !elf.needed.isEmpty || elf.interpreter != nil else { return [] }
        var found: [ResolvedLibrary] = []
        let loader = try loader(for: elf, of: destination, into: &found)
        let program = LoadedObject(
            name: destination.description,
            elf: elf,
            imageFolder: destination.parent.description,
            hostFolder: Folder.parent(of: try Folder.realPath(source)),
            origin: .program,
            parent: nil
        )
        var search = LibrarySearch(resolver: self, cache: cache, loader: loader, program: program)
        found += try search.run()
        return found
    }

    private func loader(
        for elf: ELFObject,
        of program: LayerPath,
        into found: inout [ResolvedLibrary]
    ) throws -> Loader {
        guard let path = elf.interpreter else {
            // A library alone: its program brings the loader, and this machine's C library tells which kind.
            let usual = [
                "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-linux-riscv64-lp64d.so.1",
            ]
            let present = usual.first { (try? ELFObject(reading: root + $0))?.machine == elf.machine }
            guard let present else { return try Loader(path: "/lib/ld.so", reading: [UInt8]()) }
            return try Loader(path: present, reading: FileBytes(root + present))
        }
        let place = LayerPath.normalising(path)
        guard provided(place.path) == nil else {
            return try Loader(path: path, reading: FileBytes(provided(place.path) ?? path))
        }
        guard path.hasPrefix("/"), (try? ELFObject(reading: root + path))?.machine == elf.machine else {
            throw LibraryError(
                description: "'\(program)' asks for the loader '\(path)', which is not on this machine; "
                    + "build the program here or install that loader"
            )
        }
        found.append(ResolvedLibrary(image: place.path, passed: place.passed, host: root + path, origin: .system))
        return try Loader(path: path, reading: FileBytes(root + path))
    }
}
