// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The node's network as workers of pods see it.
struct PodNetworkBinding: PodNetworking {
    let network: PodNetwork
    let clusterDomain: String

    func connect(_ uid: String) async throws -> PodConnection {
        let place = try await network.addPod(uid)
        return PodConnection(address: place.address.description, namespace: place.namespacePath)
    }

    func disconnect(_ uid: String) async throws { await network.removePod(uid) }

    func resolverText(for pod: PodSpec) -> String {
        ResolverText.of(pod, server: network.plan.gateway.description, domain: clusterDomain, host: hostText)
    }

    private var hostText: String { (try? FileText.read("/etc/resolv.conf")) ?? "" }
}

/// The text of a pod's `/etc/resolv.conf`, by its `dnsPolicy` and `dnsConfig`.
enum ResolverText {
    static func of(_ pod: PodSpec, server: String, domain: String, host: String) -> String {
        var servers: [String] = []
        var searches: [String] = []
        var options: [(name: String, value: String?)] = []
        switch pod.spec["dnsPolicy"]?.string {
        case "None": break
        case "Default":
            servers = values(of: "nameserver", in: host).flatMap { $0 }
            searches = hostSearches(host)
            options = values(of: "options", in: host).flatMap { $0 }.map(option)
        default:
            servers = [server]
            searches = ["\(pod.namespace).svc.\(domain)", "svc.\(domain)", domain] + hostSearches(host)
            options = [("ndots", "5")]
        }
        let wanted = pod.spec["dnsConfig"] ?? [:]
        servers += wanted["nameservers"]?.array?.compactMap(\.string) ?? []
        searches += wanted["searches"]?.array?.compactMap(\.string) ?? []
        for option in wanted["options"]?.array ?? [] {
            guard let name = option["name"]?.string else { continue }
            options.removeAll { $0.name == name }
            options.append((name, option["value"]?.string))
        }
        var lines: [String] = []
        if !searches.isEmpty { lines.append("search " + unique(searches).prefix(32).joined(separator: " ")) }
        lines += unique(servers).prefix(3).map { "nameserver \($0)" }
        if !options.isEmpty {
            let texts = options.map { option in option.value.map { "\(option.name):\($0)" } ?? option.name }
            lines.append("options " + texts.joined(separator: " "))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func values(of keyword: String, in text: String) -> [[String]] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split { $0 == " " || $0 == "\t" }.map(String.init)
            return words.first == keyword ? Array(words.dropFirst()) : nil
        }
    }

    /// The last `search` line counts; names there need no dot at their end.
    private static func hostSearches(_ host: String) -> [String] {
        (values(of: "search", in: host).last ?? []).map { $0 != "." && $0.hasSuffix(".") ? String($0.dropLast()) : $0 }
    }

    private static func option(_ text: String) -> (name: String, value: String?) {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        return (parts.first ?? text, parts.count > 1 ? parts[1] : nil)
    }

    private static func unique(_ items: [String]) -> [String] {
        var seen: Set<String> = []
        return items.filter { seen.insert($0).inserted }
    }
}
