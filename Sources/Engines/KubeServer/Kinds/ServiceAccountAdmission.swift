// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension KubernetesServer {
    /// Every pod acts as a service account that exists: `default` unless it names another one. A pod without pull secrets
    /// gets those of its account.
    func admitPod(_ pod: inout JSON) async throws(KubeStatus) {
        // A mirror pod only shows what a node runs by itself.
        guard pod[path: "metadata", "annotations"]?["kubernetes.io/config.mirror"] == nil else { return }
        guard var spec = pod["spec"], spec.object != nil else { return }
        let namespace = pod[path: "metadata", "namespace"]?.string ?? ""
        PodDefaults.setIfAbsent(&spec, "serviceAccountName", "default")
        spec["serviceAccount"] = spec["serviceAccountName"]
        let name = spec["serviceAccountName"]?.string ?? ""
        guard let account = try await serviceAccount(namespace, name) else {
            throw .forbidden(
                .pods,
                Self.shownName(pod),
                "error looking up service account \(namespace)/\(name): serviceaccount "
                    + "\(FieldErrors.quoted(name)) not found"
            )
        }
        if let objection = MountableSecrets(account)?.objection(to: spec) {
            throw .forbidden(.pods, Self.shownName(pod), objection)
        }
        if configuration.mountsServiceAccountTokens {
            ServiceAccountToken.mount(in: &spec, of: account, suffix: randomness.nameSuffix())
        }
        let secrets = account["imagePullSecrets"]?.array ?? []
        if spec["imagePullSecrets"]?.array?.isEmpty ?? true, !secrets.isEmpty {
            spec["imagePullSecrets"] = .array(secrets.compactMap { $0["name"].map { ["name": $0] } })
        }
        pod["spec"] = spec
    }

    /// What a refusal calls an object that may have no name yet.
    private static func shownName(_ object: JSON) -> String {
        for member in ["name", "generateName"] {
            if let name = object[path: "metadata", member]?.string, !name.isEmpty { return name }
        }
        return "Unknown"
    }

    /// The account; for the `default` one of a namespace that is new its controller is given a moment.
    private func serviceAccount(_ namespace: String, _ name: String) async throws(KubeStatus) -> JSON? {
        guard let resource = catalog.resource(of: .serviceAccounts) else { return nil }
        let key = resource.key(namespace: namespace, name: name)
        var attempts = name == "default" ? 20 : 1
        while true {
            if let stored = try read(key) { return try StoredJSON.parse(stored.value, as: nil) }
            attempts -= 1
            guard attempts > 0 else { return nil }
            do {
                try await timer.sleep(for: .milliseconds(75))
            } catch {
                return nil
            }
        }
    }
}

/// How a pod is handed the means to act as its account.
enum ServiceAccountToken {
    static let mountPath = "/var/run/secrets/kubernetes.io/serviceaccount"
    private static let volumePrefix = "kube-api-access-"
    /// An hour and a bit: what asks for exactly this was added by the server.
    private static let lifetime = 3607

    /// Adds token, root certificate and namespace as files to every container that has nothing else in that place.
    static func mount(in spec: inout JSON, of account: JSON, suffix: String) {
        let isWanted = spec["automountServiceAccountToken"]?.bool ?? account["automountServiceAccountToken"]?.bool
        guard isWanted ?? true else { return }
        let volumes = spec["volumes"]?.array ?? []
        let present = volumes.compactMap { $0["name"]?.string }.first { $0.hasPrefix(volumePrefix) }
        let name = present ?? "\(volumePrefix)\(suffix)"
        var isNeeded = false
        for member in ["initContainers", "containers"] {
            PodDefaults.each(&spec, member) { container in
                let mounts = container["volumeMounts"]?.array ?? []
                guard !mounts.contains(where: { $0["mountPath"]?.string == mountPath }) else { return }
                isNeeded = true
                let mount: JSON = ["name": .string(name), "readOnly": true, "mountPath": .string(mountPath)]
                container["volumeMounts"] = .array(mounts + [mount])
            }
        }
        guard isNeeded, present == nil else { return }
        spec["volumes"] = .array(volumes + [volume(name)])
    }

    private static func volume(_ name: String) -> JSON {
        let namespace: JSON = [
            "path": "namespace", "fieldRef": ["apiVersion": "v1", "fieldPath": "metadata.namespace"],
        ]
        return [
            "name": .string(name),
            "projected": [
                "sources": [
                    ["serviceAccountToken": ["expirationSeconds": JSON(lifetime), "path": "token"]],
                    [
                        "configMap": [
                            "name": "kube-root-ca.crt", "items": [["key": "ca.crt", "path": "ca.crt"]],
                        ]
                    ],
                    ["downwardAPI": ["items": [namespace]]],
                ],
                "defaultMode": 420,
            ],
        ]
    }
}

/// The secrets that pods of an account may use, where the account limits them to those it lists.
struct MountableSecrets: Sendable {
    private let account: String
    private let secrets: Set<String>
    private let pullSecrets: Set<String>

    /// `nil`: the account sets no limit.
    init?(_ account: JSON) {
        let mark = account[path: "metadata", "annotations"]?["kubernetes.io/enforce-mountable-secrets"]?.string
        guard ["1", "t", "T", "true", "TRUE", "True"].contains(mark ?? "") else { return nil }
        func names(_ member: String) -> Set<String> {
            Set((account[member]?.array ?? []).compactMap { $0["name"]?.string })
        }
        self.account = account[path: "metadata", "name"]?.string ?? ""
        secrets = names("secrets")
        pullSecrets = names("imagePullSecrets")
    }

    func objection(to spec: JSON) -> String? {
        for volume in spec["volumes"]?.array ?? [] {
            guard let name = volume[path: "secret", "secretName"]?.string, !secrets.contains(name) else { continue }
            return "volume with \(refused(name))"
        }
        for (member, title) in [("initContainers", "init container"), ("containers", "container")] {
            for container in spec[member]?.array ?? [] {
                let subject = "\(title) \(container["name"]?.string ?? "")"
                if let objection = objection(to: container, subject) { return objection }
            }
        }
        for (place, reference) in (spec["imagePullSecrets"]?.array ?? []).enumerated() {
            guard let name = reference["name"]?.string, !pullSecrets.contains(name) else { continue }
            return "imagePullSecrets[\(place)].name=\"\(name)\" is not allowed because service account \(account) does "
                + "not reference that imagePullSecret"
        }
        return nil
    }

    private func objection(to container: JSON, _ subject: String) -> String? {
        for variable in container["env"]?.array ?? [] {
            guard let name = variable[path: "valueFrom", "secretKeyRef", "name"]?.string, !secrets.contains(name) else {
                continue
            }
            return "\(subject) with envVar \(variable["name"]?.string ?? "") referencing \(refused(name))"
        }
        for source in container["envFrom"]?.array ?? [] {
            guard let name = source[path: "secretRef", "name"]?.string, !secrets.contains(name) else { continue }
            return "\(subject) with envFrom referencing \(refused(name))"
        }
        return nil
    }

    private func refused(_ secret: String) -> String {
        "secret.secretName=\"\(secret)\" is not allowed because service account \(account) does not reference that secret"
    }
}
