// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import PackageDescription

let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .strictMemorySafety(),
        // Swift 6.3 calls some async functions that it specialised for a closure with stack arguments of another number
        // than they pop: a release build crashed at the first pod (docs/decisions/0009).
        .unsafeFlags(["-Xllvm", "-sil-disable-pass=closure-specialize"], .when(configuration: .release)),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

/// One target of ours: `Sources/<layer>/<name>`, with its tests in `Tests/<layer>/<name>Tests`.
struct Module {
    enum Kind: Equatable {
        case library, c, executable, kit, tests, benchmark, system(pkgConfig: String, debian: String)
    }

    var name: String
    var layer: String
    var kind = Kind.library
    /// Our own targets it imports.
    var uses: [String] = []
    /// Our own targets that only its tests import: what stands on the other side of a socket.
    var testUses: [String] = []
    /// Products of packages it imports, as `package/Product`.
    var products: [String] = []

    var path: String { layer.isEmpty ? "Sources/\(name)" : "Sources/\(layer)/\(name)" }
    var testPath: String { layer.isEmpty ? "Tests/\(name)Tests" : "Tests/\(layer)/\(name)Tests" }
}

/// Packages by their short name; a package is named to SwiftPM only when a target in the closure uses it.
let packages: [String: Package.Dependency] = [
    "argument-parser": .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    "asn1": .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    "async-http-client": .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    "certificates": .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
    "crypto": .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    "grdb": .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    "hummingbird": .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    "log": .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    "metrics": .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    "nio": .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    "nio-extras": .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    "nio-ssl": .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    "service-lifecycle": .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    "subprocess": .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    "system": .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    "yams": .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
]

/// Identities SwiftPM derives from the addresses above.
let identities: [String: String] = [
    "argument-parser": "swift-argument-parser", "asn1": "swift-asn1", "async-http-client": "async-http-client",
    "certificates": "swift-certificates", "crypto": "swift-crypto", "grdb": "GRDB.swift",
    "hummingbird": "hummingbird", "log": "swift-log", "metrics": "swift-metrics", "nio": "swift-nio",
    "nio-extras": "swift-nio-extras", "nio-ssl": "swift-nio-ssl", "service-lifecycle": "swift-service-lifecycle",
    "subprocess": "swift-subprocess", "system": "swift-system", "yams": "Yams",
]

let base = ["Model", "Ports", "Telemetry"]

let modules: [Module] = [
    // Base
    Module(name: "Model", layer: "Base"),
    Module(name: "Ports", layer: "Base", uses: ["Model"]),
    Module(name: "Telemetry", layer: "Base", products: ["log/Logging", "metrics/Metrics"]),
    Module(name: "AppFile", layer: "Base", uses: ["Model"], products: ["yams/Yams"]),
    Module(name: "CZlib", layer: "Base", kind: .system(pkgConfig: "zlib", debian: "zlib1g-dev")),
    Module(name: "CLibCrypto", layer: "Base", kind: .system(pkgConfig: "libcrypto", debian: "libssl-dev")),
    Module(name: "CLinux", layer: "Base", kind: .c),
    Module(name: "Digests", layer: "Base", uses: ["Model", "CLibCrypto"]),
    // Engines
    Module(
        name: "KubeServer",
        layer: "Engines",
        uses: base + ["AppFile", "Digests", "CZlib"],
        products: ["grdb/GRDB", "log/Logging"]
    ),
    Module(name: "ImageStore", layer: "Engines", uses: base + ["CZlib", "Digests"], products: ["log/Logging"]),
    // Adapters
    Module(
        name: "KubernetesClient",
        layer: "Adapters",
        uses: base + ["AppFile"],
        products: [
            "async-http-client/AsyncHTTPClient", "nio/NIOCore", "nio/NIOHTTP1", "nio/NIOPosix", "nio-ssl/NIOSSL",
            "nio-extras/NIOHTTPCompression", "subprocess/Subprocess", "system/SystemPackage",
        ]
    ),
    Module(
        name: "RegistryClient",
        layer: "Adapters",
        uses: base + ["Digests"],
        products: [
            "async-http-client/AsyncHTTPClient", "nio/NIOCore", "nio/NIOHTTP1", "nio-ssl/NIOSSL",
            "subprocess/Subprocess",
            "system/SystemPackage",
        ]
    ),
    Module(
        name: "PodRuntime",
        layer: "Adapters",
        uses: base + ["CLinux", "CZlib", "Digests"],
        products: [
            "log/Logging", "nio/NIOCore", "nio/NIOPosix", "nio-ssl/NIOSSL", "subprocess/Subprocess",
            "system/SystemPackage",
        ]
    ),
    Module(
        name: "EnvoyProxy",
        layer: "Adapters",
        uses: base,
        products: [
            "log/Logging", "nio/NIOCore", "nio/NIOHTTP1", "nio/NIOPosix", "subprocess/Subprocess",
            "system/SystemPackage",
        ]
    ),
    // Pillars
    Module(
        name: "Releases",
        layer: "Pillars",
        uses: base + ["AppFile", "Digests"],
        testUses: ["KubeServer"]
    ),
    // Surfaces
    Module(
        name: "HTTPSurface",
        layer: "Surfaces",
        uses: base + ["CZlib", "KubeServer", "ImageStore"],
        testUses: ["RegistryClient"],
        products: [
            "hummingbird/Hummingbird", "hummingbird/HummingbirdCore", "hummingbird/HummingbirdTLS", "nio/NIOCore",
            "nio/NIOHTTP1", "nio/NIOWebSocket", "nio-extras/NIOHTTPTypesHTTP1", "nio-ssl/NIOSSL",
            "service-lifecycle/ServiceLifecycle", "certificates/X509", "crypto/Crypto",
            "asn1/SwiftASN1",
        ]
    ),
    Module(
        name: "CommandLine",
        layer: "Surfaces",
        uses: base + ["AppFile", "Releases"],
        products: ["argument-parser/ArgumentParser", "service-lifecycle/UnixSignals"]
    ),
    // The rest
    Module(
        name: "Assembly",
        layer: "",
        uses: base + [
            "AppFile", "KubeServer", "ImageStore", "KubernetesClient", "RegistryClient", "PodRuntime", "EnvoyProxy",
            "Releases", "HTTPSurface", "CommandLine",
        ],
        products: [
            "certificates/X509", "crypto/Crypto", "service-lifecycle/ServiceLifecycle", "subprocess/Subprocess",
            "system/SystemPackage",
        ]
    ),
    Module(
        name: "ballast",
        layer: "",
        kind: .executable,
        uses: ["Assembly", "CommandLine"],
        products: ["argument-parser/ArgumentParser"]
    ),
    Module(name: "TestKit", layer: "", kind: .kit, uses: ["Model", "Ports"]),
    // Tests of the whole
    Module(name: "Architecture", layer: "", kind: .tests),
    Module(name: "Processes", layer: "", kind: .tests, uses: ["Model", "ballast"]),
]
// `scripts/bench` builds these; nothing that ships needs them.
let benchmarks =
    Context.environment["BALLAST_BENCH"] == nil
    ? []
    : [
        Module(name: "LogLoad", layer: "Benchmarks", kind: .benchmark, uses: ["Model", "KubeServer"]),
        Module(name: "ApplyLoad", layer: "Benchmarks", kind: .benchmark, uses: ["Model", "Ports", "KubeServer"]),
        Module(name: "ClusterLoad", layer: "Benchmarks", kind: .benchmark, uses: base + ["KubernetesClient"]),
        Module(
            name: "ManifestLoad",
            layer: "Benchmarks",
            kind: .benchmark,
            uses: base + ["KubernetesClient", "Releases"]
        ),
        Module(
            name: "ImageLoad",
            layer: "Benchmarks",
            kind: .benchmark,
            uses: base + ["HTTPSurface", "ImageStore", "RegistryClient"],
            products: ["hummingbird/Hummingbird", "log/Logging"]
        ),
    ]
// `scripts/fuzz` builds this one; libFuzzer brings its `main`, so it links only with `--sanitize fuzzer`.
let fuzz = Target.executableTarget(
    name: "Fuzz",
    dependencies: ["AppFile", "KubeServer", "Model", "PodRuntime"],
    path: "Tests/Fuzz",
    swiftSettings: strict
)

/// With `BALLAST_MODULE=X` the manifest shrinks to X and what it imports, so that one engine builds in seconds.
let wanted: [Module] = {
    guard let only = Context.environment["BALLAST_MODULE"], !only.isEmpty else { return modules }
    var names: Set<String> = []
    func visit(_ name: String) {
        guard let module = modules.first(where: { $0.name == name }), names.insert(name).inserted else { return }
        (module.uses + (name == only ? module.testUses : [])).forEach(visit)
    }
    visit(only)
    visit("TestKit")
    precondition(modules.contains { $0.name == only }, "BALLAST_MODULE=\(only) names no target")
    return modules.filter { names.contains($0.name) }
}()

func dependencies(of module: Module) -> [Target.Dependency] {
    module.uses.map { .byName(name: $0) }
        + module.products.map { product in
            let parts = product.split(separator: "/").map(String.init)
            return .product(name: parts[1], package: identities[parts[0]] ?? parts[0])
        }
}

func targets(of module: Module) -> [Target] {
    let only = Context.environment["BALLAST_MODULE"] ?? ""
    let uses = dependencies(of: module)
    let tests = Target.testTarget(
        name: "\(module.name)Tests",
        dependencies: [.byName(name: module.name)] + (module.kind == .kit ? [] : ["TestKit"]) + uses
            + module.testUses.map { .byName(name: $0) },
        path: module.testPath,
        swiftSettings: strict
    )
    func exists(_ folder: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(Context.packageDirectory)/\(folder)")
    }
    let hasTests = (only.isEmpty || only == module.name) && exists(module.testPath)
    switch module.kind {
    case .c:
        return [.target(name: module.name, path: module.path)]
    case .library:
        return [.target(name: module.name, dependencies: uses, path: module.path, swiftSettings: strict)]
            + (hasTests ? [tests] : [])
    case .executable:
        return [.executableTarget(name: module.name, dependencies: uses, path: module.path, swiftSettings: strict)]
    case .benchmark:
        let path = "\(module.layer)/\(module.name)"
        return [.executableTarget(name: module.name, dependencies: uses, path: path, swiftSettings: strict)]
    case .kit:
        return [.target(name: module.name, dependencies: uses, path: module.path, swiftSettings: strict)]
            + (hasTests ? [tests] : [])
    case .tests:
        guard exists("Tests/\(module.name)") else { return [] }
        return [
            .testTarget(
                name: "\(module.name)Tests",
                dependencies: uses + ["TestKit"],
                path: "Tests/\(module.name)",
                swiftSettings: strict
            )
        ]
    case .system(let pkgConfig, let debian):
        return [
            .systemLibrary(name: module.name, path: module.path, pkgConfig: pkgConfig, providers: [.apt([debian])])
        ]
    }
}

/// With a trimmed manifest only the benchmarks of what is left.
func isBuildable(_ benchmark: Module) -> Bool {
    benchmark.uses.allSatisfy { use in wanted.contains { $0.name == use } }
}

let package = Package(
    name: "ballast",
    platforms: [.macOS(.v15)],
    dependencies: Set(wanted.flatMap(\.products).compactMap { $0.split(separator: "/").first.map(String.init) })
        .sorted().compactMap { packages[$0] },
    targets: (wanted + benchmarks.filter(isBuildable)).flatMap(targets(of:))
        + (Context.environment["BALLAST_FUZZ"] == nil ? [] : [fuzz])
)
