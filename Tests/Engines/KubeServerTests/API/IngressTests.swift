// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("ingresses and their classes")
struct IngressTests {
    private static let ingresses = "/apis/networking.k8s.io/v1/namespaces/default/ingresses"
    private static let classes = "/apis/networking.k8s.io/v1/ingressclasses"

    private static func ingress(_ name: String, spec: JSON = [:], annotations: JSON? = nil) -> JSON {
        var ingress: JSON = [
            "metadata": ["name": .string(name)],
            "spec": ["defaultBackend": ["service": ["name": "web", "port": ["number": 80]]]],
        ]
        for (key, value) in spec.object ?? [:] { ingress.set(value, at: ["spec", key]) }
        if let annotations { ingress.set(annotations, at: ["metadata", "annotations"]) }
        return ingress
    }

    private static func withClass() async throws -> TestServer {
        let test = try await TestServer()
        _ = await test.send(
            "POST",
            classes,
            [
                "metadata": [
                    "name": "ballast", "annotations": ["ingressclass.kubernetes.io/is-default-class": "true"],
                ],
                "spec": ["controller": "ballast.dev/edge"],
            ]
        )
        return test
    }

    @Test("an Ingress that names no class gets the default one, and a table shows it")
    func defaultClass() async throws {
        let test = try await Self.withClass()
        let made = await test.send("POST", Self.ingresses, Self.ingress("a"))
        #expect(made.status == 201)
        #expect(made.warnings.isEmpty)
        #expect(made.json[path: "spec", "ingressClassName"] == "ballast")
        let table = await test.send(
            "GET",
            Self.ingresses,
            accept: "application/json;as=Table;v=v1;g=meta.k8s.io"
        ).json
        #expect(table["rows"]?[0]?["cells"]?[1] == "ballast")
    }

    @Test("what the edge does not do is said when it is asked for")
    func warnings() async throws {
        let test = try await Self.withClass()
        let spec: JSON = ["tls": [["hosts": ["a.test"], "secretName": "t"]]]
        let notes: JSON = ["nginx.ingress.kubernetes.io/rewrite-target": "/", "example.org/owner": "me"]
        let made = await test.send("POST", Self.ingresses, Self.ingress("a", spec: spec, annotations: notes))
        #expect(
            made.warnings == [
                "spec.tls: has no effect on this cluster's edge, which answers plain HTTP only",
                "metadata.annotations[nginx.ingress.kubernetes.io/rewrite-target]: has no effect on this cluster's edge",
            ]
        )
        let patched = await test.send(
            "PATCH",
            "\(Self.ingresses)/a",
            ["metadata": ["annotations": ["konghq.com/strip-path": "true"]]],
            contentType: "application/merge-patch+json"
        )
        #expect(patched.warnings.count == 3)
    }

    @Test("a class that nobody here serves is said so, the older annotation too")
    func otherClass() async throws {
        let test = try await Self.withClass()
        let named = await test.send("POST", Self.ingresses, Self.ingress("a", spec: ["ingressClassName": "nginx"]))
        #expect(named.status == 201)
        #expect(named.warnings.count == 1 && named.warnings[0].contains("serves the class \"nginx\""))
        let older = await test.send(
            "POST",
            Self.ingresses,
            Self.ingress("b", annotations: ["kubernetes.io/ingress.class": "nginx"])
        )
        #expect(older.json[path: "spec", "ingressClassName"] == nil)
        #expect(
            older.warnings.first
                == "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"
        )
        #expect(older.warnings.count == 2)
        let both = await test.send(
            "POST",
            Self.ingresses,
            Self.ingress(
                "c",
                spec: ["ingressClassName": "ballast"],
                annotations: ["kubernetes.io/ingress.class": "nginx"]
            )
        )
        #expect(both.status == 422)
        #expect(both.message.contains("must match `ingressClassName` when both are specified"))
    }

    @Test("a class' controller is a domain-prefixed path that stays")
    func classes() async throws {
        let test = try await Self.withClass()
        let refused = await test.send("POST", Self.classes, ["metadata": ["name": "x"], "spec": ["controller": "x"]])
        #expect(refused.status == 422)
        #expect(
            refused.message.hasSuffix(
                "spec.controller: Invalid value: \"x\": must be a domain-prefixed path (such as \"acme.io/foo\")"
            )
        )
        let changed = await test.send(
            "PATCH",
            "\(Self.classes)/ballast",
            ["spec": ["controller": "acme.io/foo"]],
            contentType: "application/merge-patch+json"
        )
        #expect(changed.message.hasSuffix("spec.controller: Invalid value: \"acme.io/foo\": field is immutable"))
    }
}
