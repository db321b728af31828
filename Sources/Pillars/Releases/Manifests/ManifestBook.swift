// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Model
import Ports

/// Keeps the manifests of releases in the home cluster, so that a rollback applies what was released and not what lies in a
/// folder by now.
///
/// They are kept by their content, in Secrets since some of them may be: releases with the same manifests share them.
struct ManifestBook: Sendable {
    let home: any ClusterAPI
    let retry: CallRetry

    static let label = "ballast.dev/manifests"
    private static let type = "ballast.dev/manifests"
    /// A Secret holds a mebibyte.
    private static let partSize = 900 << 10

    /// The name under which the app's manifests are kept; `nil` where it has none.
    static func name(of app: App) -> String? { packed(app)?.name }

    private static func packed(_ app: App) -> (name: String, bytes: [UInt8])? {
        guard !app.manifestFiles.isEmpty else { return nil }
        let files = app.manifestFiles.sorted { $0.key < $1.key }.map { path, manifests in
            (path, JSON.array(manifests.map(\.json)))
        }
        let bytes = JSON.object(JSONObject(files)).bytes
        let digest = "\(ContentHash.digest(of: bytes))".split(separator: ":").last.map(String.init) ?? ""
        return ("ballast-manifests-\(app.name)-\(digest.prefix(16))", bytes)
    }

    /// Keeps what the app's paths hold; returns the name under which it is found again, `nil` where there is nothing.
    func keep(_ app: App, in namespace: String) async throws -> String? {
        guard let (name, bytes) = Self.packed(app) else { return nil }
        let parts = stride(from: 0, to: bytes.count, by: Self.partSize).map {
            Array(bytes[$0..<min(bytes.count, $0 + Self.partSize)])
        }
        for (place, part) in parts.enumerated() {
            var secret = KubeObject(
                .secrets,
                namespace: namespace,
                name: "\(name).\(place)",
                labels: [
                    ReleaseRecord.appLabel: app.name.text, Self.label: name, "app.kubernetes.io/managed-by": "ballast",
                ]
            )
            secret["type"] = .string(Self.type)
            secret["immutable"] = true
            secret["data"] = [
                "manifests": .string(Base64.encode(part)),
                "parts": .string(Base64.encode(Array("\(parts.count)".utf8))),
            ]
            let reference = ObjectReference(.secrets, namespace: namespace, name: secret.name)
            try await retry("keep the manifests of '\(app.name)'") { [secret] in
                guard try await home.find(reference) == nil else { return }
                _ = try await home.create(secret, as: .secrets)
            }
        }
        return name
    }

    /// The app as a release had it.
    func restore(_ app: App, of record: ReleaseRecord) async throws -> App {
        guard let name = record.declaration["manifests"]?.string else { return app }
        return try await restore(app, name, from: record.namespace.text)
    }

    /// The app with the manifests that are kept under that name.
    ///
    /// Throws `notFound` where they are gone.
    func restore(_ app: App, _ name: String, from namespace: String) async throws -> App {
        var bytes: [UInt8] = []
        var (place, count) = (0, 1)
        while place < count {
            let reference = ObjectReference(.secrets, namespace: namespace, name: "\(name).\(place)")
            let found = try await retry("read the manifests of '\(app.name)'") { try await home.find(reference) }
            let data = found?["data"]?.stringMap ?? [:]
            guard let part = data["manifests"].flatMap({ Base64.decode($0) }),
                let parts = data["parts"].flatMap({ Base64.decode($0) }).flatMap({
                    Int(String(decoding: $0, as: UTF8.self))
                })
            else {
                throw Failure(
                    .notFound,
                    "the manifests of that release are gone: the Secret '\(namespace)/\(reference.name)' is missing"
                )
            }
            bytes += part
            (place, count) = (place + 1, parts)
        }
        guard let json = try? JSON(parsing: bytes), case .object(let files) = json else {
            throw Failure(.fault, "the manifests kept in '\(namespace)/\(name)' cannot be read")
        }
        var app = app
        for (path, manifests) in files {
            app.manifestFiles[path] = (manifests.array ?? []).compactMap { Manifest($0) }
        }
        return app
    }

    /// Removes what no record names any more. `names` is asked for after it is known what is there, so that what a release
    /// keeps meanwhile is not among it.
    func forget(_ app: AppName, in namespace: String, except names: () async throws -> Set<String>)
        async throws
    {
        let labels = LabelSelector([
            .init(ReleaseRecord.appLabel, .isIn, [app.text]), .init(Self.label, .exists),
        ])
        let query = ListQuery(.secrets, namespace: namespace, labelSelector: labels)
        let page = try await retry("look for old manifests") { try await home.list(query) }
        guard !page.items.isEmpty else { return }
        let names = try await names()
        for secret in page.items where !names.contains(secret.labels[Self.label] ?? "") {
            let reference = ObjectReference(.secrets, namespace: namespace, name: secret.name)
            try await retry("forget old manifests") {
                guard try await home.find(reference) != nil else { return }
                try await home.delete(reference, options: DeleteOptions(uid: secret.uid))
            }
        }
    }
}
