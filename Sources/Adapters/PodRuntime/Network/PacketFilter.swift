// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Subprocess
import SystemPackage

/// The host's packet filter for one pod network: an nftables table of its own, `inet bl<id>`.
///
/// Pods reach Service addresses (where a listener is bound to just that address), the DNS of the bridge, the node's
/// ports of Services, one another and the world outside, and nothing else of the host; nobody outside opens connections to pods.
struct PacketFilter {
    var plan: NetworkPlan
    /// Where only a Ballast switched forwarding on.
    var guardedInterface: String?

    var rules: String {
        let bridge = "\"\(plan.bridge)\""
        // An interface on which only we switched forwarding on must not make this machine a router for others.
        let guardRule = guardedInterface.map { "iifname \"\($0)\" oifname != \"bl*\" drop" } ?? ""
        return """
            table inet \(plan.bridge)
            delete table inet \(plan.bridge)
            table inet \(plan.bridge) {
                chain input {
                    type filter hook input priority filter; policy accept;
                    iifname != \(bridge) accept
                    ct state established,related accept
                    ip daddr \(plan.gateway) meta l4proto { tcp, udp } th dport 53 accept
                    ip daddr \(plan.gateway) ip protocol icmp accept
                    ip daddr \(plan.gateway) tcp dport 30000-32767 socket wildcard 0 accept
                    ip daddr \(plan.serviceSubnet) meta l4proto tcp socket wildcard 0 accept
                    meta l4proto tcp reject with tcp reset
                    reject with icmpx port-unreachable
                }
                chain forward {
                    type filter hook forward priority filter; policy accept;
                    oifname \(bridge) iifname != \(bridge) ct state new drop
                    \(guardRule)
                }
                chain postrouting {
                    type nat hook postrouting priority srcnat; policy accept;
                    ip saddr \(plan.podSubnet) oifname != \(bridge) masquerade
                }
            }

            """
    }

    func install() async throws { try await run(rules) }

    /// Takes the table away; a missing one is fine.
    func remove() async throws { try await run("table inet \(plan.bridge)\ndelete table inet \(plan.bridge)\n") }

    private func run(_ text: String) async throws {
        guard let nft = ProgramSearch.find("nft") else {
            throw Failure(.unavailable, "the program 'nft' is not installed")
        }
        let result = try await Subprocess.run(
            .path(.init(nft)),
            arguments: ["-f", "-"],
            input: .string(text),
            output: .discarded,
            error: .string(limit: 64 * 1024)
        )
        guard result.terminationStatus.isSuccess else {
            let words = result.standardError.split(separator: "\n").first.map(String.init) ?? "no reason given"
            throw Failure(.unavailable, "nft refused the rules: \(words)")
        }
    }
}
