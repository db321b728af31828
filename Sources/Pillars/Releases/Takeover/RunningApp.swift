// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
package import Model
package import Ports

/// An app file made from what runs already: a Deployment and what belongs to it.
///
/// What the app file cannot say goes into manifests, which are laid over the objects that Ballast makes of it, so that
/// releasing it changes nothing but who owns the fields.
package struct RunningApp: Sendable {
    /// The text of `ballast.yaml`.
    package private(set) var file = ""
    /// The texts of the files in `k8s`, by name.
    package private(set) var manifests: [(name: String, text: String)] = []
    /// What a person should know, one line each.
    package private(set) var notes: [String] = []

    private var live: Parts
    private var app: App

    private struct Parts {
        var deployment: KubeObject
        var services: [KubeObject] = []
        var ingresses: [KubeObject] = []
        var claims: [KubeObject] = []
        /// Autoscalers and disruption budgets.
        var others: [(type: ResourceType, object: KubeObject)] = []

        var hasAutoscaler: Bool { others.contains { $0.object.kind == "HorizontalPodAutoscaler" } }
    }

    /// Reads the Deployment and what belongs to it. Changes nothing.
    ///
    /// `place` is how Ballast calls the cluster: where the app file sends the app.
    package static func read(
        deployment name: String,
        namespace: String,
        from cluster: any ClusterAPI,
        place: ClusterName = .local
    ) async throws -> RunningApp {
        let reference = ObjectReference(.deployments, namespace: namespace, name: name)
        guard let deployment = try await cluster.find(reference) else {
            let names = try await cluster.list(ListQuery(.deployments, namespace: namespace)).items.map(\.name)
            let hint = names.isEmpty ? "; there is none" : NearestName.hint(for: name, among: names)
            throw Failure(.notFound, "there is no deployment '\(name)' in the namespace '\(namespace)'\(hint)")
        }
        if deployment.isTerminating {
            throw Failure(.conflict, "the deployment '\(namespace)/\(name)' is being deleted")
        }
        if let owner = deployment.controller {
            let words = "\(owner["kind"]?.string ?? "object") '\(owner["name"]?.string ?? "")'"
            throw Failure(
                .conflict,
                "the deployment '\(namespace)/\(name)' is made by the \(words), which would undo every change; change that instead"
            )
        }
        return try RunningApp(try await parts(of: deployment, cluster), place)
    }

    private static func parts(of deployment: KubeObject, _ cluster: any ClusterAPI) async throws -> Parts {
        var parts = Parts(deployment: deployment)
        let labels = deployment.json[path: "spec", "template", "metadata", "labels"]?.stringMap ?? [:]
        func list(_ type: ResourceType) async throws -> [KubeObject] {
            do {
                return try await cluster.list(ListQuery(type, namespace: deployment.namespace)).items
            } catch let failure as Failure where failure.code == .notFound {
                return []
            }
        }
        parts.services = try await list(.services).filter { service in
            let selector = service.spec["selector"]?.stringMap ?? [:]
            return !selector.isEmpty && selector.allSatisfy { labels[$0.key] == $0.value }
        }
        let services = Set(parts.services.map(\.name))
        parts.ingresses = try await list(.ingresses).filter { ingress in
            let backends = (ingress.spec["rules"]?.array ?? []).flatMap { $0[path: "http", "paths"]?.array ?? [] }
            return backends.contains { services.contains($0[path: "backend", "service", "name"]?.string ?? "") }
        }
        let volumes = deployment.json[path: "spec", "template", "spec", "volumes"]?.array ?? []
        let claims = Set(volumes.compactMap { $0[path: "persistentVolumeClaim", "claimName"]?.string })
        if !claims.isEmpty {
            parts.claims = try await list(.persistentVolumeClaims).filter { claims.contains($0.name) }
        }
        for type in [Self.autoscalers, Self.budgets] {
            for object in try await list(type) where belongs(object, to: deployment, labels) {
                parts.others.append((type, object))
            }
        }
        return parts
    }

    private static let autoscalers = ResourceType(
        group: "autoscaling",
        version: "v2",
        plural: "horizontalpodautoscalers",
        kind: "HorizontalPodAutoscaler",
        isNamespaced: true
    )
    private static let budgets = ResourceType(
        group: "policy",
        version: "v1",
        plural: "poddisruptionbudgets",
        kind: "PodDisruptionBudget",
        isNamespaced: true
    )

    private static func belongs(_ object: KubeObject, to deployment: KubeObject, _ labels: [String: String]) -> Bool {
        if let target = object.spec["scaleTargetRef"] {
            return target["kind"] == "Deployment" && target["name"]?.string == deployment.name
        }
        guard let selector = object.spec["selector"].flatMap({ LabelSelector(json: $0) }), !selector.isEmpty else {
            return false
        }
        return selector.matches(labels)
    }

    private init(_ parts: Parts, _ place: ClusterName) throws {
        live = parts
        var spec = Self.spec(parts)
        if place != .local { spec.set([.string(place.text)], at: ["deploy", "clusters"]) }
        let namespace = parts.deployment.namespace ?? "default"
        let object = KubeObject([
            "apiVersion": "ballast.dev/v1alpha1", "kind": "App",
            "metadata": [
                "name": .string(parts.deployment.name), "namespace": .string(namespace),
                // It is its owner who hands it over, by releasing this file.
                "annotations": [ObjectOwner.adoption: "true"],
            ],
            "spec": spec,
        ])
        app = App(object)
        settlePieces()
        writeManifests()
        writeFile()
        tellOwners()
    }

    // MARK: The app file

    private static func spec(_ parts: Parts) -> JSON {
        let pod = parts.deployment.json[path: "spec", "template", "spec"] ?? [:]
        let container = pod["containers"]?[0] ?? [:]
        var deploy: JSON = [:]
        if let name = container["name"]?.string, name != parts.deployment.name { deploy["container"] = .string(name) }
        if !parts.hasAutoscaler, let replicas = parts.deployment.spec["replicas"] { deploy["replicas"] = replicas }
        let deadline = parts.deployment.spec["progressDeadlineSeconds"]?.int ?? 600
        if deadline != 300 { deploy["deadline"] = .string("\(deadline)s") }
        if parts.deployment.spec[path: "strategy", "type"] == "Recreate" { deploy["strategy"] = "Recreate" }
        let grace = pod["terminationGracePeriodSeconds"]?.int ?? 30
        if grace != 30 { deploy["terminationGracePeriod"] = .string("\(grace)s") }
        return ["image": ["use": container["image"] ?? ""], "deploy": deploy]
    }

    /// Takes each part into the app file that Ballast would make the same object of.
    private mutating func settlePieces() {
        let container = live.deployment.json[path: "spec", "template", "spec", "containers"]?[0] ?? [:]
        if let resources = container["resources"], resources != [:] { keep("resources", resources) { $0["resources"] } }
        let env = Self.environment(container["env"]?.array ?? [])
        if !env.isEmpty { set(.object(env), at: ["deploy", "env"]) }
        let claims = volumes(container)
        if !claims.isEmpty { set(.array(claims), at: ["deploy", "volumes"]) }
        let ports = Self.ports(container, live.services.first { $0.name == live.deployment.name })
        if !ports.isEmpty {
            set(.array(ports), at: ["deploy", "ports"])
            for name in ["readiness", "liveness", "startup"] {
                guard let probe = container["\(name)Probe"], let said = probeWords(probe) else { continue }
                let before = app
                set(said, at: ["deploy", "probes", name])
                if !agrees(on: "\(name)Probe", container) { app = before }
            }
            settleRoutes()
        }
    }

    private mutating func set(_ value: JSON, at path: [String]) {
        var object = app.object
        object.json.set(value, at: ["spec"] + path)
        app = App(object)
    }

    private mutating func keep(_ key: String, _ value: JSON, _ piece: (JSON) -> JSON?) {
        let before = app
        set(value, at: ["deploy", key])
        let container = live.deployment.json[path: "spec", "template", "spec", "containers"]?[0] ?? [:]
        if !agrees(on: key, container) { app = before }
    }

    /// Whether the container that Ballast makes says the same there.
    private func agrees(on key: String, _ container: JSON) -> Bool {
        let made = AppObjects(app: app, image: "").deployment
        func brief(_ value: JSON?) -> JSON? {
            var object = KubeObject(.deployments, namespace: "a", name: "b")
            object["spec"] = ["template": ["spec": ["containers": [.object([key: value ?? .null])]]]]
            return ExportedObject.brief(object, .deployments).json[path: "spec", "template", "spec", "containers"]?[0]?[
                key
            ]
        }
        return brief(made.json[path: "spec", "template", "spec", "containers"]?[0]?[key]) == brief(container[key])
    }

    /// Only where every variable can be said, since their order counts.
    private static func environment(_ list: [JSON]) -> JSONObject {
        var result = JSONObject()
        for variable in list {
            guard let name = variable["name"]?.string, KubernetesNames.isVariable(name), result[name] == nil else {
                return [:]
            }
            if let source = variable["valueFrom"] {
                let kinds = [("secretKeyRef", "secretRef"), ("configMapKeyRef", "configRef")]
                guard let (kind, word) = kinds.first(where: { source[$0.0] != nil }), let from = source[kind] else {
                    return [:]
                }
                var said: JSON = [word: from["name"] ?? "", "key": from["key"] ?? ""]
                if from["optional"] == true { said["optional"] = true }
                result[name] = said
            } else {
                result[name] = .string(variable["value"]?.string ?? "")
            }
        }
        return result
    }

    private func volumes(_ container: JSON) -> [JSON] {
        let volumes = live.deployment.json[path: "spec", "template", "spec", "volumes"]?.array ?? []
        return volumes.compactMap { volume in
            guard let name = volume["name"]?.string, KubernetesNames.isLabel(name),
                let claimName = volume[path: "persistentVolumeClaim", "claimName"]?.string,
                claimName == "\(live.deployment.name)-\(name)",
                let claim = live.claims.first(where: { $0.name == claimName }),
                let size = claim.spec[path: "resources", "requests", "storage"],
                let mount = container["volumeMounts"]?.array?.first(where: { $0["name"]?.string == name }),
                let path = mount["mountPath"]
            else { return nil }
            var said: JSON = ["name": .string(name), "mountPath": path, "size": size]
            if let storageClass = claim.spec["storageClassName"] { said["storageClass"] = storageClass }
            return said
        }
    }

    /// Where there is a Service of the app's name: otherwise ports would make one.
    private static func ports(_ container: JSON, _ service: KubeObject?) -> [JSON] {
        guard let service, KubernetesNames.isServiceLabel(service.name) else { return [] }
        let containerPorts = container["ports"]?.array ?? []
        var seen: Set<String> = []
        var said: [JSON] = []
        for port in service.spec["ports"]?.array ?? [] {
            let target = port["targetPort"] ?? port["port"]
            let found = containerPorts.first { $0["name"] == target || $0["containerPort"] == target }
            guard (port["protocol"]?.string ?? "TCP") == "TCP", let number = found?["containerPort"]?.int ?? target?.int
            else { return [] }
            let names = [found?["name"]?.string, port["name"]?.string, "port-\(number)"].compactMap(\.self)
            guard let name = names.first(where: { KubernetesNames.isPortName($0) }), seen.insert(name).inserted else {
                return []
            }
            var line: JSON = ["name": .string(name), "port": JSON(number)]
            if let outside = port["port"]?.int, outside != number { line["servicePort"] = JSON(outside) }
            said.append(line)
        }
        return said
    }

    private func probeWords(_ probe: JSON) -> JSON? {
        var said: JSON = [:]
        let get = probe["httpGet"]
        if let path = get?["path"] {
            said["http"] = path
        } else if let command = probe[path: "exec", "command"] {
            said["exec"] = command
        } else if probe["tcpSocket"] != nil {
            said["tcp"] = true
        } else {
            return nil
        }
        if let port = (get ?? probe["tcpSocket"])?["port"]?.string { said["port"] = .string(port) }
        for (key, word) in [
            ("initialDelaySeconds", "initialDelay"), ("periodSeconds", "period"), ("timeoutSeconds", "timeout"),
        ] {
            if let seconds = probe[key]?.int { said[word] = .string("\(seconds)s") }
        }
        for key in ["failureThreshold", "successThreshold"] {
            if let count = probe[key] { said[key] = count }
        }
        return said
    }

    private mutating func settleRoutes() {
        guard let ingress = live.ingresses.first(where: { $0.name == live.deployment.name }) else { return }
        let routes = (ingress.spec["rules"]?.array ?? []).map { rule -> JSON in
            let paths = rule[path: "http", "paths"]?.array ?? []
            return [
                "hosts": [rule["host"] ?? ""], "paths": .array(paths.map { $0["path"] ?? "/" }), "auth": "none",
                "port": paths.first?[path: "backend", "service", "port", "name"] ?? "",
            ]
        }
        let before = app
        set(.array(routes), at: ["routes"])
        if AppObjects(app: app, image: "").ingress?.spec["rules"] != ingress.spec["rules"] { app = before }
    }

    // MARK: The manifests

    private mutating func writeManifests() {
        let made = AppObjects(app: app, image: app.image.use ?? "").all
        let parts: [(ResourceType, KubeObject)] =
            [(.deployments, live.deployment)] + live.services.map { (.services, $0) }
            + live.ingresses.map { (.ingresses, $0) } + live.claims.map { (.persistentVolumeClaims, $0) }
            + live.others.map { ($0.type, $0.object) }
        for (type, object) in parts {
            var full = ExportedObject.full(object, type)
            // The autoscaler's, and not to be fought over.
            if type == .deployments, live.hasAutoscaler { full.json.set(nil, at: ["spec", "replicas"]) }
            let brief = ExportedObject.brief(full, type)
            let base = made.first { $0.type == type && $0.object.name == object.name }?.object
            let name = "\(type.kind.lowercased())-\(object.name).yaml"
            guard let base else {
                manifests.append((name, YAMLText.document(brief.json)))
                continue
            }
            let normal = ObjectNormaliser.normalised(base, type: type)
            guard let overlay = OverlayDifference.overlay(from: normal.json, to: full.json, brief: brief.json) else {
                continue
            }
            var body: JSON = [
                "apiVersion": .string(type.apiVersion), "kind": .string(type.kind),
                "metadata": ["name": .string(object.name)],
            ]
            for (key, value) in overlay.object ?? [:] where key != "metadata" { body[key] = value }
            for (key, value) in overlay["metadata"]?.object ?? [:] { body.set(value, at: ["metadata", key]) }
            let head =
                "# Laid over the \(type.kind) that Ballast makes of ballast.yaml: what it cannot say, or says otherwise.\n"
            manifests.append((name, head + YAMLText.document(body)))
        }
        if !manifests.isEmpty { set(["./k8s"], at: ["deploy", "manifests"]) }
    }

    private mutating func writeFile() {
        let object = app.object
        var body: JSON = ["apiVersion": "ballast.dev/v1alpha1", "kind": "App"]
        body["metadata"] = object.metadata
        body["spec"] = object["spec"]
        file = """
            # Made of the deployment '\(object.namespace ?? "")/\(object.name)' as it ran. Releasing it changes nothing but who owns the
            # fields. To build the image from here on, write 'build' and 'repository' instead of 'use'.

            """ + YAMLText.document(body)
    }

    private mutating func tellOwners() {
        var unowned = live.deployment
        unowned.json.set(nil, at: ["metadata", "annotations", ObjectOwner.adoption])
        if let owner = ObjectOwner.stranger(of: unowned), !owner.hasPrefix("'kubectl"), owner != "somebody else" {
            notes.append(
                "it belongs to \(owner) now: stop that from applying it, or the two will undo each other's changes"
            )
        }
        let pod = live.deployment.json[path: "spec", "template", "spec"] ?? [:]
        if (pod["containers"]?.array?.count ?? 0) > 1 {
            notes.append(
                "'\(pod["containers"]?[0]?["name"]?.string ?? "")' is taken for the app; its other containers are in k8s"
            )
        }
    }
}
