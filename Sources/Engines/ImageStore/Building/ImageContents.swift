// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Why a plan cannot become an image; the text names the path at fault.
struct PlanError: Error, CustomStringConvertible {
    var description: String
}

/// What the files of a plan are, once folders are walked and libraries are found: one tree per layer, lowest first.
struct ImageContents {
    /// A layer to be, and the words that its history entry carries.
    struct Layer: Sendable {
        var tree: LayerTree
        var purpose: String
    }

    /// A file whose libraries come along.
    private struct Program {
        var source: String
        var path: LayerPath
        /// Whether the plan names it, so that it has to be a program; files found in folders may be anything.
        var isNamed: Bool
    }

    private let plan: ImagePlan
    private var app = LayerTree()
    private var programs: [Program] = []
    /// Library layers by the folder they fill; the loader's own folders are one.
    private var libraries: [String: LayerTree] = [:]

    private static let systemGroup = ""

    /// Reads what the plan names; `root` is where absolute library paths start, empty but in tests.
    init(of plan: ImagePlan, root: String = "") throws {
        self.plan = plan
        for file in plan.files { try add(file) }
        let provided = app
        let resolver = LibraryResolver(root: root, libraryPath: plan.environment["LD_LIBRARY_PATH"] ?? "") {
            provided.source(at: $0)
        }
        for program in programs { try addLibraries(of: program, resolver) }
    }

    /// Libraries first: they change least, and programs with the same libraries share these layers.
    var layers: [Layer] {
        var layers = libraries.sorted { $0.key < $1.key }.map { folder, tree in
            Layer(tree: tree, purpose: folder == Self.systemGroup ? "system libraries" : "libraries in \(folder)")
        }
        if !app.isEmpty || layers.isEmpty { layers.append(Layer(tree: app, purpose: "files of the app")) }
        return layers
    }

    // MARK: files

    private mutating func add(_ file: ImagePlan.File) throws {
        guard file.source.hasPrefix("/") else {
            throw PlanError(description: "'\(file.source)' is not an absolute path")
        }
        let place = LayerPath.normalising(file.destination)
        guard file.destination.hasPrefix("/"), place.passed.isEmpty, !file.destination.utf8.contains(0) else {
            throw PlanError(
                description: "'\(file.destination)' is no place in an image; it has to start with '/' and have no '..'"
            )
        }
        let status = try FileStatus(of: file.source)
        switch status.kind {
        case .folder: try addFolder(file.source, at: place.path, file.hasLibraries)
        case .file:
            let isInto = file.destination.hasSuffix("/")
            let path = isInto ? place.path.appending(Folder.lastComponent(of: file.source)) : place.path
            try app.add(.file(source: file.source, status), at: path)
            if file.hasLibraries { programs.append(Program(source: file.source, path: path, isNamed: true)) }
        case .link, .other: throw unfit(file.source)
        }
    }

    private mutating func addFolder(_ source: String, at path: LayerPath, _ hasLibraries: Bool) throws {
        try app.add(.folder, at: path)
        for name in try Folder.names(in: source) {
            let child = source.hasSuffix("/") ? source + name : "\(source)/\(name)"
            let status = try FileStatus(ofLink: child)
            switch status.kind {
            case .folder: try addFolder(child, at: path.appending(name), hasLibraries)
            case .link: try app.add(.link(target: Folder.target(ofLink: child)), at: path.appending(name))
            case .file:
                try app.add(.file(source: child, status), at: path.appending(name))
                guard hasLibraries else { continue }
                programs.append(Program(source: child, path: path.appending(name), isNamed: false))
            case .other: throw unfit(child)
            }
        }
    }

    private func unfit(_ path: String) -> PlanError {
        PlanError(description: "'\(path)' is neither a file nor a folder nor a symbolic link; an image cannot hold it")
    }

    // MARK: libraries

    private mutating func addLibraries(of program: Program, _ resolver: LibraryResolver) throws {
        let elf: ELFObject
        do {
            elf = try ELFObject(reading: program.source)
        } catch let error as ELFError {
            guard program.isNamed else { return }
            throw PlanError(description: "'\(program.source)' \(error.reason.rawValue); 'libraries' is for programs")
        }
        if let machine = Self.machines[plan.architecture], machine != elf.machine {
            let name = Self.machines.first { $0.value == elf.machine }?.key ?? "machine \(elf.machine)"
            throw PlanError(
                description: "'\(program.source)' is for '\(name)', but the image is for '\(plan.architecture)'"
            )
        }
        for library in try resolver.libraries(of: program.source, at: program.path, elf) { try add(library) }
    }

    /// `e_machine` by Go's name of the architecture.
    private static let machines: [String: UInt16] = [
        "amd64": 62, "arm64": 183, "riscv64": 243, "ppc64le": 21, "loong64": 258,
    ]

    private mutating func add(_ library: ResolvedLibrary) throws {
        switch library.origin {
        case .program: try Self.add(library, to: &app)
        case .system: try Self.add(library, to: &libraries[Self.systemGroup, default: LayerTree()])
        case .absolute:
            let folder = library.image.parent.description
            try Self.add(library, to: &libraries[folder, default: LayerTree()])
        }
    }

    /// Adds a library's file, and the links to it that lie in the same folder as on this machine.
    private static func add(_ library: ResolvedLibrary, to tree: inout LayerTree) throws {
        for folder in library.passed { try tree.add(.folder, at: folder) }
        var path = library.image
        var host = library.host
        while true {
            let status = try FileStatus(ofLink: host)
            guard status.kind == .link else { break }
            let target = try Folder.target(ofLink: host)
            guard !target.contains("/"), target != ".", target != ".." else { break }
            try tree.add(.link(target: target), at: path)
            path = path.parent.appending(target)
            host = "\(Folder.parent(of: host))/\(target)"
        }
        let source = try Folder.realPath(host)
        if case .file(let other, _)? = tree[path], other != source {
            throw PlanError(
                description: "'\(path)' in the image would have to be both '\(other)' and '\(source)'; "
                    + "put these programs into different images"
            )
        }
        try tree.add(.file(source: source, FileStatus(of: source)), at: path)
    }
}
