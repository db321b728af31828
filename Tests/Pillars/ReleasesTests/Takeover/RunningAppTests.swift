// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("an app file of what runs already", .timeLimit(.minutes(5)))
struct RunningAppTests {
    /// What `kubectl create` and `kubectl apply` leave of common manifests.
    private static let plain = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: cart, namespace: shop, labels: { app: cart } }
        spec:
          replicas: 3
          selector: { matchLabels: { app: cart } }
          template:
            metadata: { labels: { app: cart }, annotations: { scrape: "yes" } }
            spec:
              containers:
                - name: server
                  image: registry.internal/shop/cart:1.4
                  args: [--verbose]
                  ports: [{ containerPort: 8080 }]
                  env:
                    - { name: CURRENCY, value: EUR }
                    - { name: DB_URL, valueFrom: { secretKeyRef: { name: cart-db, key: url } } }
                    - { name: POD, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
                  resources: { requests: { cpu: 100m, memory: 64Mi }, limits: { memory: 128Mi } }
                  readinessProbe: { httpGet: { path: /healthz, port: 8080 }, periodSeconds: 5 }
                  volumeMounts: [{ name: data, mountPath: /data }, { name: conf, mountPath: /etc/cart }]
                - { name: proxy, image: "envoy:1", securityContext: { runAsUser: 7 } }
              nodeSelector: { disk: ssd }
              volumes:
                - { name: data, persistentVolumeClaim: { claimName: cart-data } }
                - { name: conf, configMap: { name: cart-config } }
        ---
        apiVersion: v1
        kind: Service
        metadata: { name: cart, namespace: shop }
        spec: { selector: { app: cart }, ports: [{ port: 80, targetPort: 8080 }] }
        ---
        apiVersion: v1
        kind: Service
        metadata: { name: cart-headless, namespace: shop }
        spec: { clusterIP: None, selector: { app: cart }, ports: [{ name: http, port: 8080 }] }
        ---
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: { name: cart-data, namespace: shop }
        spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: { name: cart, namespace: shop }
        spec:
          ingressClassName: nginx
          rules:
            - host: shop.example
              http: { paths: [{ path: /cart, pathType: Prefix, backend: { service: { name: cart, port: { number: 80 } } } }] }
        """

    /// What fits the app file wholly.
    private static let fitting = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: cart, namespace: shop }
        spec:
          replicas: 2
          selector: { matchLabels: { app.kubernetes.io/name: cart } }
          template:
            metadata: { labels: { app.kubernetes.io/name: cart, app.kubernetes.io/managed-by: ballast } }
            spec:
              containers:
                - name: cart
                  image: registry.internal/shop/cart:1.4
                  ports: [{ name: http, containerPort: 8080 }]
                  livenessProbe: { httpGet: { path: /healthz, port: http } }
        ---
        apiVersion: v1
        kind: Service
        metadata: { name: cart, namespace: shop }
        spec: { selector: { app.kubernetes.io/name: cart }, ports: [{ name: http, port: 80, targetPort: http }] }
        """

    private static func world(_ text: String, by manager: String) async throws -> any ClusterAPI {
        let api = try await EmbeddedCluster().api
        _ = try await api.create(KubeObject(.namespaces, name: "shop"), as: .namespaces)
        for manifest in try ManifestReader.parse(text, file: "a.yaml") {
            let type = try await api.schema.resource(apiVersion: manifest.object.apiVersion, kind: manifest.object.kind)
            _ = try await api.create(manifest.object, as: type, options: WriteOptions(fieldManager: manager))
        }
        return api
    }

    private static func taken(_ running: RunningApp) throws -> App {
        var file = try AppFile.read(running.file, path: "/src/ballast.yaml", shownAs: "ballast.yaml")
        let manifests = try running.manifests.flatMap { try ManifestReader.parse($0.text, file: "k8s/\($0.name)") }
        file.app.manifestFiles = ["./k8s": manifests]
        return file.app
    }

    private static func stage(_ api: any ClusterAPI) -> PodsStage { .alone(api, home: FakeCluster()) }

    private static func all(_ api: any ClusterAPI) async throws -> [KubeObject] {
        var objects: [KubeObject] = []
        for type in [ResourceType.deployments, .services, .persistentVolumeClaims, .ingresses] {
            objects += try await api.list(ListQuery(type, namespace: "shop")).items
        }
        return objects
    }

    @Test(arguments: ["kubectl-create", "kubectl-client-side-apply", "helm"], [plain, fitting])
    func releasingItChangesNothingButWhoOwnsTheFields(_ manager: String, _ text: String) async throws {
        let api = try await Self.world(text, by: manager)
        let before = try await Self.all(api)
        let app = try Self.taken(await RunningApp.read(deployment: "cart", namespace: "shop", from: api))
        let image = try #require(app.image.use)
        let plan = try await Self.stage(api).plan(app, image: image, pullSecret: nil)
        #expect(plan.lines.allSatisfy { $0.action == .takeOver }, "\(plan.lines)")
        let changes = try await Self.stage(api).apply(app, image: image, pullSecret: nil)
        #expect(changes.isEmpty, "\(changes)")
        let after = try await Self.all(api)
        #expect(after.count == before.count)
        for (old, new) in zip(before, after) {
            #expect(new.generation == old.generation, "\(new.kind) \(new.name)")
            #expect(MeaningfulDiff.changes(from: old, to: new).isEmpty, "\(MeaningfulDiff.changes(from: old, to: new))")
            let managers = ManagedEntry.entries(of: new).map { "\($0.manager) \($0.operation)" }
            #expect(managers == ["ballast Apply"], "\(new.kind) \(managers)")
        }
        let again = try await Self.stage(api).plan(app, image: image, pullSecret: nil)
        #expect(again.lines.isEmpty && again.unchanged == after.count, "\(again.lines)")
    }

    @Test func theNoteOfKubectlApplyStays() async throws {
        let note = "kubectl.kubernetes.io/last-applied-configuration"
        let api = try await Self.world(Self.plain, by: "kubectl-create")
        let reference = ObjectReference(.deployments, namespace: "shop", name: "cart")
        _ = try await api.patch(
            reference,
            subresource: nil,
            .merge,
            ["metadata": ["annotations": [note: "{}"]]],
            options: WriteOptions(fieldManager: "kubectl-client-side-apply")
        )
        let app = try Self.taken(await RunningApp.read(deployment: "cart", namespace: "shop", from: api))
        _ = try await Self.stage(api).apply(app, image: try #require(app.image.use), pullSecret: nil)
        let after = try await api.get(reference)
        #expect(after.annotations[note] == "{}", "without it a Deployment would have a new generation")
        let managers = ManagedEntry.entries(of: after).map { "\($0.manager) \($0.operation)" }
        #expect(managers == ["ballast Apply"], "\(managers)")
        #expect(try await Self.stage(api).plan(app, image: app.image.use ?? "", pullSecret: nil).lines.isEmpty)
    }

    @Test func aDeploymentThatIsNotThereIsSaidWithTheNearest() async throws {
        let api = try await Self.world(Self.fitting, by: "kubectl-create")
        let failure = await #expect(throws: Failure.self) {
            try await RunningApp.read(deployment: "carts", namespace: "shop", from: api)
        }
        #expect(failure?.message == "there is no deployment 'carts' in the namespace 'shop'; did you mean 'cart'?")
    }
}
