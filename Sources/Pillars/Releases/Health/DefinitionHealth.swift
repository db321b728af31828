// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a cluster is made of: definitions, served APIs, namespaces, nodes, budgets.
enum DefinitionHealth {
    static func customResource(_ definition: KubeObject) -> Health {
        for condition in definition.conditions {
            switch condition.type {
            case "NamesAccepted" where condition.isFalse:
                return .failed(condition.reason(or: "NamesNotAccepted"), condition.words)
            case "Established" where condition.isTrue:
                return .current("it is established", "Established")
            case "Established" where condition.isFalse && condition.reason != "Installing":
                return .failed(condition.reason(or: "NotEstablished"), condition.words)
            default: continue
            }
        }
        return .inProgress("Installing", "it is being installed")
    }

    static func apiService(_ service: KubeObject) -> Health {
        guard let available = service.conditions.first(where: { $0.type == "Available" }) else {
            return .inProgress("NotProcessed", "nobody has tried it yet")
        }
        if available.isTrue { return .current("it answers", "Available") }
        return .inProgress(available.reason(or: "NotAvailable"), available.words)
    }

    static func namespace(_ namespace: KubeObject) -> Health {
        guard namespace.status["phase"]?.string == "Terminating" else { return .current("it is active", "Active") }
        let obstacle = namespace.conditions.first { $0.isTrue && !$0.message.isEmpty }
        return Health(.terminating, "Terminating", obstacle?.message ?? "it is being deleted")
    }

    static func node(_ node: KubeObject) -> Health {
        guard let ready = node.conditions.first(where: { $0.type == "Ready" }) else {
            return .inProgress("NodeNotObserved", "its kubelet has not reported yet")
        }
        if ready.isTrue { return .current("ready", "NodeReady") }
        return .failed(ready.reason(or: "NodeNotReady"), ready.words)
    }

    static func disruptionBudget(_ budget: KubeObject) -> Health {
        if let allowed = budget.conditions.first(where: { $0.type == "DisruptionAllowed" }),
            allowed.reason == "SyncFailed"
        {
            return .failed("SyncFailed", allowed.words)
        }
        return .current("disruptions have been counted")
    }
}
