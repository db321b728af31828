// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import TestKit
import Testing

@Suite("layers")
struct LayerTests {
    @Test("imports of this package only point down")
    func importsOnlyPointDown() throws {
        let graph = try PackageGraph.ofPackage(at: .ballastProject)
        #expect(graph.targets.contains { $0.name == "Model" && $0.isShipped })
        for violation in LayerRule().violations(in: graph) {
            Issue.record("\(violation)")
        }
    }

    @Test("a graph drawn as in DESIGN breaks no rule")
    func theDrawnGraphIsAllowed() {
        #expect(LayerRule().violations(in: .drawn) == [])
    }

    @Test(
        "each forbidden import is named",
        arguments: [
            ("Model", "KubeServer", "Model (Base) must not import KubeServer (Engines)"),
            ("KubeServer", "KubernetesClient", "KubeServer (Engines) must not import KubernetesClient (Adapters)"),
            ("KubeServer", "ImageStore", "KubeServer (Engines) must not import ImageStore (Engines)"),
            ("KubernetesClient", "Releases", "KubernetesClient (Adapters) must not import Releases (Pillars)"),
            ("PodRuntime", "KubernetesClient", "PodRuntime (Adapters) must not import KubernetesClient (Adapters)"),
            ("Releases", "KubernetesClient", "Releases (Pillars) must not import KubernetesClient (Adapters)"),
            ("Releases", "KubeServer", "Releases (Pillars) must not import KubeServer (Engines)"),
            ("Releases", "Traffic", "Releases (Pillars) must not import Traffic (Pillars)"),
            ("Releases", "HTTPSurface", "Releases (Pillars) must not import HTTPSurface (Surfaces)"),
            ("CommandLine", "Assembly", "CommandLine (Surfaces) must not import Assembly (Assembly)"),
            ("Releases", "TestKit", "Releases (Pillars) must not import TestKit (TestKit)"),
            ("TestKit", "KubeServer", "TestKit (TestKit) must not import KubeServer (Engines)"),
        ]
    )
    func forbiddenImports(from importer: String, to imported: String, sentence: String) {
        var graph = PackageGraph.drawn
        graph.add(.target(imported), to: importer)
        #expect(LayerRule().violations(in: graph) == [sentence])
    }

    @Test(
        "engines and base use no network package",
        arguments: [
            ("KubeServer", "NIOCore", "swift-nio"), ("KubeServer", "NIOSSL", "swift-nio-ssl"),
            ("ImageStore", "Crypto", "swift-crypto"), ("ImageStore", "Hummingbird", "hummingbird"),
            ("Model", "AsyncHTTPClient", "async-http-client"),
        ]
    )
    func noNetworkBelow(target: String, product: String, package: String) {
        var graph = PackageGraph.drawn
        graph.add(.product(product, package: package), to: target)
        let sentences = LayerRule().violations(in: graph)
        #expect(sentences.count == 1)
        #expect(sentences.first?.hasSuffix("must not use \(product) of \(package)") == true)
    }

    @Test("a part that Assembly forgot is named")
    func assemblyImportsAll() {
        var graph = PackageGraph.drawn
        graph.remove(.target("Traffic"), from: "Assembly")
        #expect(
            LayerRule().violations(in: graph)
                == ["Assembly does not import Traffic, so nothing joins it to the rest"]
        )
    }

    @Test("a target outside every layer is named")
    func everyTargetHasALayer() {
        var graph = PackageGraph.drawn
        graph.targets.append(.init(name: "Utils", type: "regular", path: "Sources/Utils", dependencies: []))
        #expect(LayerRule().violations(in: graph) == ["Utils is in no layer: 'Sources/Utils'"])
    }
}

extension PackageGraph {
    /// A small package as DESIGN draws it.
    fileprivate static var drawn: PackageGraph {
        let parts = [
            ("KubeServer", "Engines"), ("ImageStore", "Engines"), ("KubernetesClient", "Adapters"),
            ("PodRuntime", "Adapters"), ("Releases", "Pillars"), ("Traffic", "Pillars"), ("HTTPSurface", "Surfaces"),
            ("CommandLine", "Surfaces"),
        ]
        var graph = PackageGraph(targets: [
            .init(name: "Model", type: "regular", path: "Sources/Base/Model", dependencies: [])
        ])
        for (name, layer) in parts {
            graph.targets.append(
                .init(name: name, type: "regular", path: "Sources/\(layer)/\(name)", dependencies: [.target("Model")])
            )
        }
        graph.add(.product("GRDB", package: "GRDB.swift"), to: "KubeServer")
        graph.add(.product("NIOCore", package: "swift-nio"), to: "KubernetesClient")
        graph.add(.target("KubeServer"), to: "HTTPSurface")
        graph.add(.target("Releases"), to: "CommandLine")
        graph.targets += [
            .init(
                name: "Assembly",
                type: "regular",
                path: "Sources/Assembly",
                dependencies: parts.map { .target($0.0) }
            ),
            .init(
                name: "ballast",
                type: "executable",
                path: "Sources/ballast",
                dependencies: [.target("Assembly"), .target("CommandLine")]
            ),
            .init(name: "TestKit", type: "regular", path: "Sources/TestKit", dependencies: [.target("Model")]),
            .init(
                name: "ReleasesTests",
                type: "test",
                path: "Tests/Pillars/ReleasesTests",
                dependencies: [.target("Releases"), .target("TestKit"), .target("KubeServer")]
            ),
        ]
        return graph
    }

    fileprivate mutating func add(_ dependency: Dependency, to name: String) {
        for index in targets.indices where targets[index].name == name {
            targets[index].dependencies.append(dependency)
        }
    }

    fileprivate mutating func remove(_ dependency: Dependency, from name: String) {
        for index in targets.indices where targets[index].name == name {
            targets[index].dependencies.removeAll { $0 == dependency }
        }
    }
}
