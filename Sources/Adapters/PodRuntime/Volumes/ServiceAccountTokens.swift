// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// The tokens with which pods speak for their service accounts; each is asked for once and again when four fifths of
/// its life are over.
actor ServiceAccountTokens {
    private struct Key: Hashable {
        var pod: String
        var audience: String
        var life: Int
    }
    private struct Token {
        var text: String
        var renewal: Timestamp
    }

    private let api: any ClusterAPI
    private let wall: WallClock
    private var tokens: [Key: Token] = [:]

    init(api: any ClusterAPI, wall: WallClock) {
        self.api = api
        self.wall = wall
    }

    /// The token of a `serviceAccountToken` source, bound to that pod.
    func token(_ source: JSON, of pod: PodSpec) async throws -> String {
        let life = source["expirationSeconds"]?.int ?? 3600
        let key = Key(pod: pod.uid, audience: source["audience"]?.string ?? "", life: life)
        let now = wall.now
        if let known = tokens[key], now < known.renewal { return known.text }
        let answer = try await request(key, pod)
        guard let text = answer.status["token"]?.string else {
            throw EnvironmentResolver.Missing(message: "the API gave no token for \(pod.serviceAccount)")
        }
        let end = answer.status["expirationTimestamp"]?.string.flatMap { Timestamp($0) } ?? now + .seconds(life)
        tokens[key] = Token(text: text, renewal: now + (end - now) * 4 / 5)
        return text
    }

    /// When the first of a pod's tokens wants to be renewed.
    func renewal(for pod: String) -> Timestamp? {
        tokens.filter { $0.key.pod == pod }.map(\.value.renewal).min()
    }

    func forget(_ pod: String) { tokens = tokens.filter { $0.key.pod != pod } }

    private func request(_ key: Key, _ pod: PodSpec) async throws -> KubeObject {
        let type = ResourceType(
            group: "",
            version: "v1",
            plural: "serviceaccounts/\(pod.serviceAccount)/token",
            kind: "TokenRequest",
            isNamespaced: true
        )
        let bound: JSON = ["apiVersion": "v1", "kind": "Pod", "name": .string(pod.name), "uid": .string(pod.uid)]
        let spec: JSON = [
            "expirationSeconds": JSON(key.life), "boundObjectRef": bound,
            "audiences": key.audience.isEmpty ? [] : [.string(key.audience)],
        ]
        let metadata: JSON = ["name": .string(pod.serviceAccount), "namespace": .string(pod.namespace)]
        let request = KubeObject([
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "metadata": metadata, "spec": spec,
        ])
        return try await api.create(request, as: type)
    }
}
