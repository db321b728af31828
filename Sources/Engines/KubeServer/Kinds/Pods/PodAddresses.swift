// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// A pod's one address and the list of all its addresses say the same: where they differ the single one counts.
enum PodAddresses {
    static func settle(_ pod: inout JSON) {
        guard var status = pod["status"], status["podIP"] != nil || status["podIPs"] != nil else { return }
        let single = status["podIP"]?.string ?? ""
        let first = status["podIPs"]?[0]?["ip"]?.string ?? ""
        guard single != first else { return }
        if single.isEmpty {
            status["podIP"] = .string(first)
        } else {
            status["podIPs"] = [["ip": .string(single)]]
        }
        pod["status"] = status
    }
}
