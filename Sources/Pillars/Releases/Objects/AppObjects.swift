// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// What an app needs in one cluster, as Kubernetes objects: a pure function of its file and its image.
package struct AppObjects: Sendable {
    let app: App
    /// The image by digest, as nodes pull it.
    let image: String
    let pullSecret: String?

    package init(app: App, image: String, pullSecret: String? = nil) {
        self.app = app
        self.image = image
        self.pullSecret = pullSecret
    }

    package static let selectorLabel = "app.kubernetes.io/name"

    private var labels: [String: String] {
        var labels = podLabels
        if let owner = app.owner, owner.utf8.count <= 63,
            owner.utf8.allSatisfy({
                (0x30...0x39).contains($0) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || $0 == 0x2D
            })
        {
            labels["ballast.dev/owner"] = owner
        }
        return labels
    }

    /// What the file says about the owner is no reason to replace pods, so their labels leave it out.
    private var podLabels: [String: String] {
        [Self.selectorLabel: app.name.text, "app.kubernetes.io/managed-by": "ballast"]
    }

    private func object(_ type: ResourceType, _ name: String) -> KubeObject {
        KubeObject(type, namespace: app.namespace.text, name: name, labels: labels)
    }

    /// In the order in which they must come into being, the namespace and pull secret left out.
    package var all: [(type: ResourceType, object: KubeObject)] {
        var objects: [(ResourceType, KubeObject)] = claims.map { (.persistentVolumeClaims, $0) }
        objects.append((.deployments, deployment))
        if let service { objects.append((.services, service)) }
        if let ingress { objects.append((.ingresses, ingress)) }
        return objects
    }

    package func claimName(_ volume: App.Volume) -> String { "\(app.name)-\(volume.name)" }

    var claims: [KubeObject] {
        app.deploy.volumes.map { volume in
            var claim = object(.persistentVolumeClaims, claimName(volume))
            claim["spec"] = [
                "accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": .string(volume.size)]],
            ]
            if let storageClass = volume.storageClass {
                claim.json.set(.string(storageClass), at: ["spec", "storageClassName"])
            }
            return claim
        }
    }

    package var deployment: KubeObject {
        var deployment = object(.deployments, app.name.text)
        var strategy: JSON = ["type": .string(app.deploy.strategy)]
        if app.deploy.strategy == "RollingUpdate" {
            strategy["rollingUpdate"] = ["maxUnavailable": 0, "maxSurge": "25%"]
        }
        deployment["spec"] = [
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": JSON(max(1, Int(app.deploy.deadline.components.seconds))),
            "strategy": strategy, "selector": ["matchLabels": [Self.selectorLabel: .string(app.name.text)]],
            "template": ["metadata": ["labels": JSON(podLabels)], "spec": podSpec],
        ]
        // A number that the file does not give belongs to whoever scales: a person or an autoscaler.
        if app.deploy.saysReplicas { deployment.json.set(JSON(app.deploy.replicas), at: ["spec", "replicas"]) }
        return deployment
    }

    private var podSpec: JSON {
        var spec: JSON = ["containers": [container]]
        let volumes = podVolumes
        if !volumes.isEmpty { spec["volumes"] = .array(volumes) }
        if let pullSecret { spec["imagePullSecrets"] = [["name": .string(pullSecret)]] }
        if let grace = app.deploy.terminationGracePeriod {
            spec["terminationGracePeriodSeconds"] = JSON(Int(grace.components.seconds))
        }
        return spec
    }

    private var container: JSON {
        var container: JSON = ["name": .string(app.deploy.container ?? app.name.text), "image": .string(image)]
        let deploy = app.deploy
        if !deploy.ports.isEmpty {
            container["ports"] = .array(
                deploy.ports.map {
                    ["name": .string($0.name), "containerPort": JSON($0.port), "protocol": "TCP"]
                }
            )
        }
        if !deploy.environment.isEmpty { container["env"] = .array(deploy.environment.map(environment)) }
        if let resources = deploy.resources { container["resources"] = Self.quantitiesAsText(resources) }
        for (name, probe) in deploy.probes.sorted(by: { $0.key < $1.key }) {
            container["\(name)Probe"] = self.probe(probe, name)
        }
        let mounts =
            deploy.volumes.map { ["name": .string($0.name), "mountPath": .string($0.mountPath)] as JSON }
            + fileMounts
        if !mounts.isEmpty { container["volumeMounts"] = .array(mounts) }
        return container
    }

    var fileMounts: [JSON] {
        app.deploy.files.enumerated().map {
            ["name": .string("ballast-files-\($0)"), "mountPath": .string($1.mountPath), "readOnly": true]
        }
    }

    func environment(_ name: String, _ value: App.EnvironmentValue) -> JSON {
        func from(_ kind: String, _ source: String, _ key: String, _ isOptional: Bool) -> JSON {
            var reference: JSON = ["name": .string(source), "key": .string(key)]
            if isOptional { reference["optional"] = true }
            return ["name": .string(name), "valueFrom": .object([kind: reference])]
        }
        return switch value {
        case .text(let text): ["name": .string(name), "value": .string(text)]
        case .secret(let source, let key, let isOptional): from("secretKeyRef", source, key, isOptional)
        case .config(let source, let key, let isOptional): from("configMapKeyRef", source, key, isOptional)
        }
    }

    static func quantitiesAsText(_ resources: JSON) -> JSON {
        guard case .object(let kinds) = resources else { return [:] }
        return .object(
            kinds.mapValues { kind in
                .object((kind.object ?? [:]).mapValues { .string($0.scalarText ?? "") })
            }
        )
    }

    private func probe(_ probe: App.Probe, _ name: String) -> JSON {
        let port = JSON.string(probe.port ?? app.deploy.ports.first?.name ?? "")
        var json: JSON =
            switch probe.check {
            case .http(let path): ["httpGet": ["path": .string(path), "port": port]]
            case .tcp: ["tcpSocket": ["port": port]]
            case .exec(let command): ["exec": ["command": .array(command.map { .string($0) })]]
            }
        func seconds(_ duration: Duration?, _ key: String) {
            guard let duration else { return }
            json[key] = JSON(max(1, Int(duration.components.seconds) + (duration.components.attoseconds > 0 ? 1 : 0)))
        }
        seconds(probe.initialDelay, "initialDelaySeconds")
        // A release waits for readiness, so it asks often; liveness keeps the cluster's own, slower default.
        seconds(probe.period ?? (name == "liveness" ? nil : .seconds(2)), "periodSeconds")
        seconds(probe.timeout, "timeoutSeconds")
        if let threshold = probe.failureThreshold { json["failureThreshold"] = JSON(threshold) }
        if let threshold = probe.successThreshold { json["successThreshold"] = JSON(threshold) }
        return json
    }

    private var podVolumes: [JSON] {
        app.deploy.volumes.map {
            ["name": .string($0.name), "persistentVolumeClaim": ["claimName": .string(claimName($0))]]
        } + fileVolumes
    }

    var fileVolumes: [JSON] {
        app.deploy.files.enumerated().map { place, files in
            let source: JSON =
                if let config = files.config {
                    ["configMap": ["name": .string(config)]]
                } else {
                    ["secret": ["secretName": .string(files.secret ?? "")]]
                }
            var volume: JSON = ["name": .string("ballast-files-\(place)")]
            for (key, value) in source.object ?? [:] { volume[key] = value }
            return volume
        }
    }

    var service: KubeObject? {
        guard !app.deploy.ports.isEmpty else { return nil }
        var service = object(.services, app.name.text)
        service["spec"] = [
            "selector": [Self.selectorLabel: .string(app.name.text)],
            "ports": .array(
                app.deploy.ports.map {
                    [
                        "name": .string($0.name), "port": JSON($0.servicePort), "targetPort": .string($0.name),
                        "protocol": "TCP",
                    ]
                }
            ),
        ]
        return service
    }

    var ingress: KubeObject? {
        guard !app.routes.isEmpty, let firstPort = app.deploy.ports.first else { return nil }
        var ingress = object(.ingresses, app.name.text)
        let rules = app.routes.flatMap { route in
            route.hosts.map { host -> JSON in
                let paths = route.paths.map { path -> JSON in
                    let backend: JSON = [
                        "service": [
                            "name": .string(app.name.text), "port": ["name": .string(route.port ?? firstPort.name)],
                        ]
                    ]
                    return ["path": .string(path), "pathType": "Prefix", "backend": backend]
                }
                return ["host": .string(host), "http": ["paths": .array(paths)]]
            }
        }
        ingress["spec"] = ["rules": .array(rules)]
        return ingress
    }
}
