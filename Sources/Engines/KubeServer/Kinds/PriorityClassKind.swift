// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

struct PriorityClassStrategy: KindStrategy {
    let traits = KindTraits(generationFields: ["value"])

    /// The highest value that is not kept for the system.
    private static let limit = 1_000_000_000
    /// Those of every cluster.
    static let system = ["system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000]

    func setDefaults(_ object: inout JSON) {
        PodDefaults.setIfAbsent(&object, "preemptionPolicy", "PreemptLowerPriority")
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let name = object[path: "metadata", "name"]?.string ?? ""
        let value = object["value"]?.int ?? 0
        if name.hasPrefix("system-") {
            if Self.system[name] != value || object["globalDefault"]?.bool == true {
                errors.forbidden(
                    "metadata.name",
                    "priority class names with 'system-' prefix are reserved for system use only. error: "
                        + "\(name) is not a known system priority class"
                )
            }
        } else if value > Self.limit {
            errors.forbidden("value", "maximum allowed value of a user defined priority is \(Self.limit)")
        }
        let policy = object["preemptionPolicy"]?.string ?? ""
        let policies = ["PreemptLowerPriority", "Never"]
        if !policies.contains(policy) { errors.notSupported("preemptionPolicy", policy, policies) }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        if object["value"] ?? 0 != old["value"] ?? 0 { errors.forbidden("value", "may not be changed in an update.") }
        if object["preemptionPolicy"] != old["preemptionPolicy"] {
            errors.invalid("preemptionPolicy", object["preemptionPolicy"] ?? .null, "field is immutable")
        }
    }
}

struct PriorityClassColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .whole("Value"), TableColumn(name: "Global-Default", type: "boolean"), .age, .text("PreemptionPolicy"),
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        [
            Cell.name(object), Cell.whole(object["value"]), .bool(object["globalDefault"]?.bool ?? false),
            Age.of(object, now), Cell.text(object["preemptionPolicy"]),
        ]
    }
}

extension ResourceType {
    static let priorityClasses = ResourceType(
        group: "scheduling.k8s.io",
        version: "v1",
        plural: "priorityclasses",
        kind: "PriorityClass",
        isNamespaced: false
    )
}

extension KubernetesServer {
    /// The classes that every cluster has.
    func addSystemPriorities() async throws {
        for (name, value) in PriorityClassStrategy.system.sorted(by: { $0.key < $1.key }) {
            var object = KubeObject(.priorityClasses, name: name)
            object["value"] = JSON(value)
            do {
                _ = try await api.create(object, as: .priorityClasses)
            } catch let failure as Failure where failure.status?.reason == "AlreadyExists" {
                continue
            }
        }
    }

    /// Only one class may be the default.
    func admitPriorityClass(_ object: JSON) throws(KubeStatus) {
        guard object["globalDefault"]?.bool == true else { return }
        let name = object[path: "metadata", "name"]?.string ?? ""
        for other in try priorityClasses() where other["globalDefault"]?.bool == true {
            let present = other[path: "metadata", "name"]?.string ?? ""
            guard present != name else { continue }
            throw .forbidden(
                .priorityClasses,
                name,
                "PriorityClass \(present) is already marked as default. Only one default can exist"
            )
        }
    }

    /// Gives a pod the number its class stands for.
    func admitPriority(_ pod: inout JSON) throws(KubeStatus) {
        guard var spec = pod["spec"], spec.object != nil else { return }
        let given = spec["priorityClassName"]?.string ?? ""
        let shown = pod[path: "metadata", "name"]?.string ?? pod[path: "metadata", "generateName"]?.string ?? ""
        let all = try priorityClasses()
        let found: JSON?
        if given.isEmpty {
            found = all.filter { $0["globalDefault"]?.bool == true }.min {
                ($0["value"]?.int ?? 0) < ($1["value"]?.int ?? 0)
            }
        } else {
            found = all.first { $0[path: "metadata", "name"]?.string == given }
            guard found != nil else {
                throw .forbidden(.pods, shown, "no PriorityClass with name \(given) was found")
            }
        }
        let value = found?["value"]?.int ?? 0
        if let asked = spec["priority"]?.int, asked != value {
            throw .forbidden(
                .pods,
                shown,
                "the integer value of priority (\(asked)) must not be provided in pod spec; priority admission "
                    + "controller computed \(value) from the given PriorityClass name"
            )
        }
        let policy = found?["preemptionPolicy"]?.string ?? "PreemptLowerPriority"
        if let asked = spec["preemptionPolicy"]?.string, asked != policy {
            throw .forbidden(
                .pods,
                shown,
                "the string value of PreemptionPolicy (\(asked)) must not be provided in pod spec; priority admission "
                    + "controller computed \(policy) from the given PriorityClass name"
            )
        }
        if let found { spec["priorityClassName"] = found[path: "metadata", "name"] }
        spec["priority"] = JSON(value)
        if spec["preemptionPolicy"] == nil {
            spec["preemptionPolicy"] = found?["preemptionPolicy"] ?? "PreemptLowerPriority"
        }
        pod["spec"] = spec
    }

    private func priorityClasses() throws(KubeStatus) -> [JSON] {
        guard let resource = catalog.resource(of: .priorityClasses) else { return [] }
        var classes: [JSON] = []
        for stored in try page(resource, nil, ListOptions()).items {
            classes.append(try StoredJSON.parse(stored.value, as: nil))
        }
        return classes
    }
}
