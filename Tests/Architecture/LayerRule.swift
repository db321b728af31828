// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Which target may import which: imports only point down, and Assembly alone sees everything.
struct LayerRule {
    enum Layer: String, CaseIterable {
        case base = "Base"
        case engines = "Engines"
        case adapters = "Adapters"
        case pillars = "Pillars"
        case surfaces = "Surfaces"
        case assembly = "Assembly"
        case executable = "ballast"
        case testKit = "TestKit"

        /// The layers a target of this one may import from; its own counts only where it is named.
        var mayImport: Set<Layer> {
            switch self {
            case .base, .engines, .adapters, .pillars, .testKit: [.base]
            case .surfaces: [.base, .engines, .adapters, .pillars]
            case .assembly: [.base, .engines, .adapters, .pillars, .surfaces]
            case .executable: [.base, .surfaces, .assembly]
            }
        }

        /// Layers whose targets Assembly must import, since nothing else joins them.
        static let joined: Set<Layer> = [.engines, .adapters, .pillars, .surfaces]
    }

    /// Packages that Base and Engines may use: no network, no HTTP framework, no second TLS library. Everything else is
    /// reached through a port.
    static let quietPackages: Set<String> = [
        "grdb.swift", "swift-algorithms", "swift-async-algorithms", "swift-atomics", "swift-collections", "swift-log",
        "swift-metrics", "swift-numerics", "yams",
    ]

    /// One sentence per broken rule; empty when the graph is as DESIGN draws it.
    func violations(in graph: PackageGraph) -> [String] {
        let layers = Dictionary(uniqueKeysWithValues: graph.targets.map { ($0.name, layer(of: $0)) })
        return graph.targets.filter { $0.isShipped }.flatMap { target -> [String] in
            guard let layer = layers[target.name] ?? nil else {
                return ["\(target.name) is in no layer: '\(target.path)'"]
            }
            return imports(of: target, in: layer, layers) + packages(of: target, in: layer)
        } + unjoined(in: graph, layers)
    }

    /// `Sources/<layer>/<name>`, or `Sources/<name>` for the three that are a layer of their own.
    private func layer(of target: PackageGraph.Target) -> Layer? {
        let parts = target.path.split(separator: "/")
        guard parts.count > 1, parts[0] == "Sources" else { return nil }
        return Layer(rawValue: String(parts[1]))
    }

    private func imports(
        of target: PackageGraph.Target,
        in layer: Layer,
        _ layers: [String: Layer?]
    ) -> [String] {
        target.dependencies.compactMap { dependency in
            guard case .target(let name) = dependency else { return nil }
            guard let other = layers[name] ?? nil else { return "\(target.name) imports \(name), which is in no layer" }
            if layer.mayImport.contains(other) { return nil }
            return "\(target.name) (\(layer.rawValue)) must not import \(name) (\(other.rawValue))"
        }
    }

    private func packages(of target: PackageGraph.Target, in layer: Layer) -> [String] {
        guard layer == .base || layer == .engines else { return [] }
        return target.dependencies.compactMap { dependency in
            guard case .product(let name, let package) = dependency else { return nil }
            if Self.quietPackages.contains(package.lowercased()) { return nil }
            return "\(target.name) (\(layer.rawValue)) must not use \(name) of \(package)"
        }
    }

    private func unjoined(in graph: PackageGraph, _ layers: [String: Layer?]) -> [String] {
        guard let assembly = graph.targets.first(where: { $0.name == Layer.assembly.rawValue }) else {
            return ["there is no target Assembly"]
        }
        return graph.targets.compactMap { target in
            guard target.isShipped, let layer = layers[target.name] ?? nil, Layer.joined.contains(layer),
                !assembly.dependencies.contains(.target(target.name))
            else { return nil }
            return "Assembly does not import \(target.name), so nothing joins it to the rest"
        }
    }
}
