// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// The `resolv.conf` of a pod.
package enum ResolverFile {
    private static let clusterDomain = "cluster.local"

    /// By the pod's `dnsPolicy` and `dnsConfig`; `host` is the text of the host's own file.
    package static func text(for pod: KubeObject, plan: NetworkPlan, host: String) -> String {
        var file = Content()
        switch pod.spec["dnsPolicy"]?.string ?? "ClusterFirst" {
        case "None": break
        case "Default": file = Content(reading: host)
        default:
            // `ClusterFirst`; for pods here `ClusterFirstWithHostNet` means the same.
            file.servers = [plan.gateway.description]
            let namespace = pod.namespace ?? "default"
            let own = ["\(namespace).svc.\(clusterDomain)", "svc.\(clusterDomain)", clusterDomain]
            file.searches = own + Content(reading: host).searches.filter { !own.contains($0) }
            file.options = ["ndots:5"]
        }
        file.add(pod.spec["dnsConfig"] ?? [:])
        return file.text
    }

    private struct Content {
        var servers: [String] = []
        var searches: [String] = []
        var options: [String] = []

        init() {}

        init(reading text: String) {
            for line in text.split(separator: "\n") {
                let words = line.split { $0 == " " || $0 == "\t" }.map(String.init)
                switch words.first {
                case "nameserver": servers += words.dropFirst().prefix(1)
                case "search", "domain": searches = Array(words.dropFirst())
                case "options": options += words.dropFirst()
                default: break
                }
            }
            servers = Array(servers.prefix(3))
        }

        /// Adds what the pod asks for; an option replaces one of the same name.
        mutating func add(_ config: JSON) {
            let texts = { (key: String) in config[key]?.array?.compactMap(\.string) ?? [] }
            servers = Array((servers + texts("nameservers").filter { !servers.contains($0) }).prefix(3))
            searches = Array((searches + texts("searches").filter { !searches.contains($0) }).prefix(32))
            for option in config["options"]?.array ?? [] {
                guard let name = option["name"]?.string else { continue }
                options.removeAll { $0 == name || $0.hasPrefix("\(name):") }
                options.append(option["value"]?.string.map { "\(name):\($0)" } ?? name)
            }
        }

        var text: String {
            var lines = servers.map { "nameserver \($0)" }
            if !searches.isEmpty { lines.insert("search " + searches.joined(separator: " "), at: 0) }
            if !options.isEmpty { lines.append("options " + options.joined(separator: " ")) }
            return lines.joined(separator: "\n") + "\n"
        }
    }
}
