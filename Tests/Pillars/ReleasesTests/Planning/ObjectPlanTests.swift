// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("the plan of a cluster's objects", .timeLimit(.minutes(5)))
struct ObjectPlanTests {
    private static let two = """
        apiVersion: v1
        kind: ConfigMap
        metadata: { name: one, labels: { tier: web } }
        data: { a: "1", b: "2" }
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: redis }
        spec:
          selector: { matchLabels: { app: redis } }
          strategy: {}
          template:
            metadata: { labels: { app: redis }, creationTimestamp: null }
            spec:
              containers:
                - name: redis
                  image: redis:7
                  ports: [{ containerPort: 6379 }]
                  resources: { requests: { cpu: 0.1, memory: 1024Mi } }
                  env: [{ name: A, value: x }, { name: POD, valueFrom: { fieldRef: { fieldPath: metadata.name } } }]
        """

    private static func world() async throws -> (ApplyWorld, InterceptedCluster) {
        let calls = InterceptedCluster(try await EmbeddedCluster().api)
        _ = try await calls.create(KubeObject(.namespaces, name: "shop"), as: .namespaces)
        return (ApplyWorld(calls), calls)
    }

    private static let config = ObjectReference(.configMaps, namespace: "shop", name: "one")

    @Test func whatIsUnchangedIsRecognisedWithoutATry() async throws {
        let (world, calls) = try await Self.world()
        let first = try await world.apply(Self.two)
        #expect(ApplyWorld.words(first) == ["create configmap shop/one", "create deployment shop/redis"])
        #expect(calls.calls.count { $0.hasPrefix("patch") } == 4, "a try and a write for each")
        let before = calls.calls.count
        let again = try await world.apply(Self.two)
        #expect(again.map(\.action) == [.none, .none])
        #expect(calls.calls[before...].allSatisfy { $0.hasPrefix("get") }, "\(calls.calls[before...])")
    }

    @Test(arguments: [
        ("data", ["a": "9"] as JSON, "data.a: \"9\" -> \"1\""),
        ("metadata", ["labels": ["tier": "db"]] as JSON, "metadata.labels.tier: \"db\" -> \"web\""),
    ])
    func anEditByAnotherIsSeenAndNamedAsAConflict(_ key: String, _ value: JSON, _ change: String) async throws {
        let (world, calls) = try await Self.world()
        try await world.apply(Self.two)
        _ = try await calls.patch(
            Self.config,
            subresource: nil,
            .merge,
            [key: value],
            options: WriteOptions(fieldManager: "kubectl-edit")
        )
        let failure = await #expect(throws: Failure.self) { try await world.plan(Self.two) }
        let message = try #require(failure?.message)
        #expect(message.hasPrefix("a field of the configmap shop/one belongs to somebody else (k8s/all.yaml:2):\n  ."))
        #expect(message.contains("is owned by 'kubectl-edit' (Update, 2027-01-15T08:00:00Z)"), "\(message)")
        #expect(message.contains("--take configmap/one:."))
        var taking = world
        taking.taken = try TakenFields(["configmap/one"])
        let planned = try await taking.apply(Self.two)
        #expect(planned.flatMap(\.changes) == ["configmap shop/one \(change)"])
        #expect(try await world.plan(Self.two).map(\.action) == [.none, .none])
    }

    @Test func whatIsNoLongerWrittenGoesAndWhatOthersAddStays() async throws {
        let (world, calls) = try await Self.world()
        try await world.apply(Self.two)
        _ = try await calls.patch(
            Self.config,
            subresource: nil,
            .merge,
            ["data": ["theirs": "x"]],
            options: WriteOptions(fieldManager: "controller")
        )
        let next = Self.two.replacing("a: \"1\", b: \"2\"", with: "a: \"1\"")
        let planned = try await world.apply(next)
        #expect(planned.flatMap(\.changes) == ["configmap shop/one data.b: \"2\" -> (removed)"])
        #expect(try await calls.get(Self.config)["data"] == ["a": "1", "theirs": "x"])
        #expect(try await world.plan(next).map(\.action) == [.none, .none])
    }

    @Test func aFieldThatSomebodyRemovedIsPutBack() async throws {
        let (world, calls) = try await Self.world()
        try await world.apply(Self.two)
        var live = try await calls.get(Self.config)
        live["data"] = ["a": "1"]
        _ = try await calls.update(live, as: .configMaps)
        let planned = try await world.apply(Self.two)
        #expect(planned.flatMap(\.changes) == ["configmap shop/one data.b: (none) -> \"2\""])
    }

    @Test func everyProblemIsSaidBeforeAnythingChanges() async throws {
        let (world, calls) = try await Self.world()
        let broken = """
            apiVersion: v1
            kind: ConfigMap
            metadata: { name: one }
            dat: { a: "1" }
            ---
            apiVersion: v1
            kind: Service
            metadata: { name: two }
            spec: { ports: [{ port: 99999 }] }
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: { name: good }
            """
        let failure = await #expect(throws: Failure.self) { try await world.apply(broken) }
        let message = try #require(failure?.message)
        #expect(
            message.contains("k8s/all.yaml:2: could not check configmap shop/one") && message.contains(".dat"),
            "\(message)"
        )
        #expect(message.contains("k8s/all.yaml:7") && message.contains("spec.ports[0].port"), "\(message)")
        #expect(try await calls.find(ObjectReference(.configMaps, namespace: "shop", name: "good")) == nil)
    }

    @Test func inANamespaceThatIsYetToComeNothingIsTried() async throws {
        let calls = InterceptedCluster(try await EmbeddedCluster().api)
        let world = ApplyWorld(calls)
        let text = "apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n---\n" + Self.two
        let planned = try await world.plan(text)
        #expect(planned.map(\.isChecked) == [true, false, false])
        #expect(planned.map(\.action) == [.create, .create, .create])
        try await world.apply(text)
        #expect(try await world.plan(text).map(\.action) == [.none, .none, .none])
    }

    @Test func aKindOfTheSameReleaseIsAppliedOnceItIsServed() async throws {
        let (world, _) = try await Self.world()
        let text = """
            apiVersion: shop.example/v1
            kind: Basket
            metadata: { name: mine }
            spec: { size: 3 }
            ---
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: { name: baskets.shop.example }
            spec:
              group: shop.example
              scope: Namespaced
              names: { plural: baskets, kind: Basket }
              versions:
                - name: v1
                  served: true
                  storage: true
                  schema:
                    openAPIV3Schema:
                      type: object
                      properties: { spec: { type: object, properties: { size: { type: integer } } } }
            """
        let planned = try await world.apply(text)
        #expect(
            ApplyWorld.words(planned) == [
                "create customresourcedefinition baskets.shop.example", "create basket shop/mine",
            ]
        )
        #expect(try await world.plan(text).map(\.action) == [.none, .none])
    }

    @Test func anUnknownKindIsSaidWithItsPlace() async throws {
        let (world, _) = try await Self.world()
        let text = "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: { name: a }\n"
        let failure = await #expect(throws: Failure.self) { try await world.plan(text) }
        #expect(
            failure?.message.hasPrefix("k8s/all.yaml:2: the cluster serves no kind 'Deployment' in 'apps/v1beta1'")
                == true
        )
    }

    @Test func whatKubectlAppliedIsTakenOverWithAllItsFields() async throws {
        let (world, calls) = try await Self.world()
        var old = KubeObject(.configMaps, namespace: "shop", name: "one", labels: ["tier": "web"])
        old["data"] = ["a": "1", "b": "2", "gone": "x"]
        old.json.set("{}", at: ["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"])
        _ = try await calls.create(
            old,
            as: .configMaps,
            options: WriteOptions(fieldManager: "kubectl-client-side-apply")
        )
        let refused = await #expect(throws: Failure.self) { try await world.plan(Self.two) }
        #expect(refused?.message.contains("belongs to 'kubectl apply'") == true)
        var adopting = world
        adopting.adopts = true
        let planned = try await adopting.plan(Self.two)
        #expect(
            planned.flatMap(\.changes) == [
                "configmap shop/one data.gone: \"x\" -> (removed)", "created deployment shop/redis",
            ]
        )
        try await adopting.apply(Self.two)
        #expect(try await calls.get(Self.config)["data"] == ["a": "1", "b": "2"], "a field nobody names any more goes")
        let note = "kubectl.kubernetes.io/last-applied-configuration"
        #expect(try await calls.get(Self.config).annotations == [note: "{}"], "kubectl's own, to keep or to remove")
        let managers = ManagedEntry.entries(of: try await calls.get(Self.config)).map {
            "\($0.manager) \($0.operation)"
        }
        #expect(managers == ["ballast Apply"])
        #expect(try await world.plan(Self.two).map(\.action) == [.none, .none])
    }

    @Test func aNumberOfReplicasThatIsLeftToOthersStaysAsItIs() async throws {
        let (world, calls) = try await Self.world()
        let three = Self.two.replacing("  strategy: {}", with: "  replicas: 3")
        let redis = ObjectReference(.deployments, namespace: "shop", name: "redis")
        try await world.apply(three)
        let planned = try await world.apply(Self.two)
        #expect(planned.flatMap(\.changes).isEmpty, "\(planned.flatMap(\.changes))")
        #expect(try await calls.get(redis).spec["replicas"] == 3, "not the server's default of 1")
        #expect(try await world.plan(Self.two).map(\.action) == [.none, .none])
        let back = try await world.apply(three.replacing("replicas: 3", with: "replicas: 2"))
        #expect(back.flatMap(\.changes) == ["deployment shop/redis spec.replicas: 3 -> 2"])
    }

    @Test func theValuesOfASecretAreNeverTold() async throws {
        let (world, _) = try await Self.world()
        let text = "apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData: { password: hunter1 }\n"
        try await world.apply(text)
        let planned = try await world.plan(text.replacing("hunter1", with: "hunter2"))
        #expect(planned.flatMap(\.changes) == ["secret shop/s data.password: changed"])
        let plan = ClusterPlan(cluster: .local, objects: planned, surplus: [])
        let secret = Base64.encode(Array("hunter2".utf8))
        #expect(!plan.json.text.contains(secret) && !plan.json.text.contains("hunter"))
    }

    /// What a server fills in counts as set by whoever created the object: it comes back, and is no change.
    @Test func aTakeoverSaysWhatOfAWorkloadGoesAndNothingElse() async throws {
        let (world, calls) = try await Self.world()
        let old = try #require(
            try ManifestReader.parse(
                Self.two.replacing("env: [", with: "env: [{ name: OLD, value: old }, ").replacing(
                    "image: redis:7",
                    with: "image: redis:7\n          command: [redis]\n          imagePullPolicy: IfNotPresent"
                ),
                file: "a.yaml"
            ).last
        )
        var object = old.object
        object.json.set("shop", at: ["metadata", "namespace"])
        _ = try await calls.create(object, as: .deployments, options: WriteOptions(fieldManager: "kubectl-create"))
        var adopting = world
        adopting.adopts = true
        let planned = try await adopting.plan(Self.two)
        let path = "deployment shop/redis spec.template.spec.containers[redis]"
        #expect(
            Set(planned.flatMap(\.changes)) == [
                "created configmap shop/one", "\(path).command: [\"redis\"] -> (removed)",
                "\(path).env[OLD]: {\"name\":\"OLD\",\"value\":\"old\"} -> (removed)",
            ]
        )
        try await adopting.apply(Self.two)
        let container = try await calls.get(ObjectReference(.deployments, namespace: "shop", name: "redis"))
            .json[path: "spec", "template", "spec", "containers"]?[0]
        #expect(container?["command"] == nil && container?["env"]?.array?.count == 2)
        #expect(try await world.plan(Self.two).map(\.action) == [.none, .none])
    }

    @Test func anAutoscalerKeepsTheNumberItGaveAndAPersonIsAskedAbout() async throws {
        let (world, calls) = try await Self.world()
        let text = Self.two.replacing("selector: { matchLabels", with: "replicas: 2\n  selector: { matchLabels")
        try await world.apply(text)
        let redis = ObjectReference(.deployments, namespace: "shop", name: "redis")
        func scale(to count: Int, by manager: String) async throws {
            var object = try await calls.get(redis, subresource: "scale")
            object.json.set(JSON(count), at: ["spec", "replicas"])
            let options = WriteOptions(fieldManager: manager)
            _ = try await calls.update(object, as: .deployments, subresource: "scale", options: options)
        }
        try await scale(to: 5, by: "kube-controller-manager")
        let planned = try await world.plan(text)
        #expect(planned.map(\.action) == [.none, .none])
        #expect(planned.flatMap(\.notes) == ["deployment shop/redis keeps the 5 replicas that its autoscaler gave it"])
        try await world.apply(text)
        #expect(try await calls.get(redis).spec["replicas"] == 5)
        try await scale(to: 7, by: "kubectl")
        let failure = await #expect(throws: Failure.self) { try await world.plan(text) }
        #expect(failure?.message.contains(".spec.replicas is owned by 'kubectl' (Update of scale") == true)
    }

    @Test func contestedFieldsAreNamedInOneOrderWhateverTheServersIs() throws {
        let causes = [".spec.b", ".spec.a"].map {
            KubeStatus.Cause(reason: "FieldManagerConflict", message: "conflict with \"x\" using v1", field: $0)
        }
        for causes in [causes, causes.reversed()] {
            let failure = Failure(KubeStatus(code: 409, reason: "Conflict", message: "", causes: causes))
            #expect(FieldConflict.all(in: failure, live: nil).map(\.field) == [".spec.a", ".spec.b"])
        }
    }
}
