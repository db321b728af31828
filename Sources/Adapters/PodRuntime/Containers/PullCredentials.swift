// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// The logins with which a pod may pull: those its pull secrets hold, or its service account's where it names none.
struct PullCredentials: Sendable {
    let services: PodServices
    let pod: PodSpec

    /// The logins that fit the image. A secret that is missing or damaged is reported and passed over.
    func matching(_ image: String) async -> [RegistryCredentials] {
        guard let reference = ImageReference(image) else { return [] }
        var found: [RegistryCredentials] = []
        for name in await names() {
            let secret = try? await services.api.find(ObjectReference(.secrets, namespace: pod.namespace, name: name))
            guard let secret, let pull = PullSecret(secret) else {
                complain(name)
                continue
            }
            for credentials in pull.credentials(for: reference) where !found.contains(credentials) {
                found.append(credentials)
            }
        }
        return found
    }

    private func names() async -> [String] {
        if !pod.imagePullSecrets.isEmpty { return pod.imagePullSecrets }
        let account = ObjectReference(.serviceAccounts, namespace: pod.namespace, name: pod.serviceAccount)
        let object = try? await services.api.find(account)
        return object?["imagePullSecrets"]?.array?.compactMap { $0["name"]?.string } ?? []
    }

    private func complain(_ name: String) {
        let message =
            "Unable to retrieve some image pull secrets (\(name)); attempting to pull the image may not succeed."
        let event = PodEvent(.warning, "FailedToRetrieveImagePullSecret", message)
        services.events.record(event, about: pod.object, at: services.wall.now)
    }
}
