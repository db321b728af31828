// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// One program's walk through its libraries, breadth first, as the loader loads them.
struct LibrarySearch {
    private struct Candidate {
        var image: LayerPath.Normalised
        var host: String
        var origin: SearchFolder.Origin
    }

    private let resolver: LibraryResolver
    private let cache: LoaderCache
    private let loader: Loader
    private let paths: SearchPath
    private var objects: [LoadedObject]
    /// Names by which a library that is there already answers: asked-for names and sonames.
    private var known: Set<String> = []
    private var found: [ResolvedLibrary] = []

    init(resolver: LibraryResolver, cache: LoaderCache, loader: Loader, program: LoadedObject) {
        self.resolver = resolver
        self.cache = cache
        self.loader = loader
        paths = SearchPath(loader: loader, root: resolver.root)
        objects = [program]
    }

    mutating func run() throws -> [ResolvedLibrary] {
        var next = 0
        while next < objects.count {
            for name in objects[next].elf.needed { try load(name, for: next) }
            next += 1
            if next == objects.count { try loadNameServices() }
        }
        return found
    }

    /// Before version 2.34 glibc loads its look-up of users and hosts from files of their own, at run time.
    private mutating func loadNameServices() throws {
        guard let libc = objects.firstIndex(where: { $0.name == "libc.so.6" }),
            !objects[libc].elf.definedVersions.isEmpty, !objects[libc].elf.definedVersions.contains("GLIBC_2.34")
        else { return }
        for name in ["libnss_files.so.2", "libnss_dns.so.2"] where !known.contains(name) {
            if let candidate = candidates(for: name, of: libc).first(where: isLoadable) {
                try add(candidate, name, for: libc)
            }
        }
    }

    private mutating func load(_ name: String, for parent: Int) throws {
        guard !known.contains(name), !loader.isBuiltIn(name) else { return }
        let candidates = candidates(for: name, of: parent)
        guard let candidate = candidates.first(where: isLoadable) else {
            throw missing(name, parent, candidates)
        }
        try add(candidate, name, for: parent)
    }

    private mutating func add(_ candidate: Candidate, _ name: String, for parent: Int) throws {
        let provided = resolver.provided(candidate.image.path)
        let host = provided ?? candidate.host
        let elf = try ELFObject(reading: host)
        known.insert(name)
        if let soname = elf.soname { known.insert(soname) }
        objects.append(
            LoadedObject(
                name: name,
                elf: elf,
                imageFolder: candidate.image.path.parent.description,
                hostFolder: Folder.parent(of: host),
                origin: candidate.origin,
                parent: parent
            )
        )
        guard provided == nil else { return }
        found.append(
            ResolvedLibrary(
                image: candidate.image.path,
                passed: candidate.image.passed,
                host: host,
                origin: candidate.origin
            )
        )
    }

    // MARK: where the loader looks

    private func candidates(for name: String, of place: Int) -> [Candidate] {
        let object = objects[place]
        guard !name.contains("/") else {
            guard let file = paths.expand(name, of: object) else { return [] }
            return [candidate(file.image, file.host, file.origin)]
        }
        var candidates: [Candidate] = folders(of: place).map {
            candidate("\($0.image)/\(name)", "\($0.host)/\(name)", $0.origin)
        }
        guard !object.elf.hasNoDefaultFolders else { return candidates }
        candidates += cache.paths(of: name).map { path in
            let isDefault = loader.defaultFolders.contains(Folder.parent(of: path))
            // The image has no cache, so what only the cache knows goes where the loader looks without one.
            return candidate(isDefault ? path : "\(loader.defaultFolders[0])/\(name)", resolver.root + path, .system)
        }
        return candidates
            + loader.defaultFolders.map { candidate("\($0)/\(name)", "\(resolver.root)\($0)/\(name)", .system) }
    }

    private func folders(of place: Int) -> [SearchFolder] {
        let object = objects[place]
        var folders: [SearchFolder] = []
        if object.elf.runpath == nil {
            var asker: Int? = place
            while let current = asker {
                if objects[current].elf.runpath == nil, let list = objects[current].elf.rpath {
                    folders += paths.folders(list, of: objects[current])
                }
                asker = objects[current].parent
            }
        }
        for folder in resolver.libraryPath.split(whereSeparator: { $0 == ":" || $0 == ";" }) where folder.hasPrefix("/")
        {
            folders.append(SearchFolder(image: String(folder), host: resolver.root + folder, origin: .absolute))
        }
        return folders + (object.elf.runpath.map { paths.folders($0, of: object) } ?? [])
    }

    private func candidate(_ image: String, _ host: String, _ origin: SearchFolder.Origin) -> Candidate {
        let place = LayerPath.normalising(image)
        let isDefault = loader.defaultFolders.contains(place.path.parent.description)
        return Candidate(image: place, host: host, origin: isDefault ? .system : origin)
    }

    /// The loader passes over files of another architecture and what is no ELF file.
    private func isLoadable(_ candidate: Candidate) -> Bool {
        let host = resolver.provided(candidate.image.path) ?? candidate.host
        guard let status = try? FileStatus(of: host), status.kind == .file else { return false }
        return (try? ELFObject(reading: host))?.machine == objects[0].elf.machine
    }

    private func missing(_ name: String, _ parent: Int, _ candidates: [Candidate]) -> LibraryError {
        guard !candidates.isEmpty || !name.contains("/") else {
            return LibraryError(
                description:
                    "'\(objects[parent].name)' names the library '\(name)' relative to the folder it is started in; "
                    + "link it with a library that has a soname"
            )
        }
        var looked: [String] = []
        for candidate in candidates where !looked.contains(candidate.host) { looked.append(candidate.host) }
        let asker = parent == 0 ? "" : " (asked for by '\(objects[parent].name)')"
        return LibraryError(
            description: "'\(objects[0].name)' needs the library '\(name)'\(asker), which is nowhere its loader looks: "
                + looked.joined(separator: ", ")
                + "; install it, or link the program with the folder that has it (-rpath)"
        )
    }
}
