// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

struct AuthorizationTests {
    private static let rbac = "/apis/rbac.authorization.k8s.io/v1"
    private let dev = APIUser(name: "dev", groups: ["team"])

    private static func role(_ name: String, _ rules: [JSON]) -> JSON {
        ["metadata": ["name": .string(name)], "rules": .array(rules)]
    }

    private static func binding(_ name: String, _ kind: String, _ role: String, _ subjects: [JSON]) -> JSON {
        [
            "metadata": ["name": .string(name)], "roleRef": ["kind": .string(kind), "name": .string(role)],
            "subjects": .array(subjects),
        ]
    }

    private func server() async throws -> TestServer { try await TestServer { $0.settlesDefaultRoles = true } }

    @Test("a role lets do what it says, in its namespace and nowhere else, from the moment it is bound")
    func roles() async throws {
        let test = try await server()
        let pods = "/api/v1/namespaces/default/pods"
        let refused = await test.send("GET", pods, user: dev)
        #expect(refused.status == 403)
        #expect(
            refused.message
                == "pods is forbidden: User \"dev\" cannot list resource \"pods\" in API group \"\" in the namespace "
                + "\"default\""
        )
        let rule: JSON = ["verbs": ["list"], "apiGroups": [""], "resources": ["pods"]]
        _ = await test.send("POST", "\(Self.rbac)/namespaces/default/roles", Self.role("r", [rule]))
        let subject: JSON = ["kind": "Group", "name": "team"]
        let bindings = "\(Self.rbac)/namespaces/default/rolebindings"
        #expect(await test.send("POST", bindings, Self.binding("b", "Role", "r", [subject])).status == 201)
        #expect(await test.send("GET", pods, user: dev).status == 200)
        #expect(await test.send("GET", "\(pods)?watch=1", user: dev).status == 403)
        #expect(await test.send("GET", "/api/v1/pods", user: dev).status == 403)
        _ = await test.send("DELETE", "\(Self.rbac)/namespaces/default/roles/r")
        let dangling = await test.send("GET", pods, user: dev)
        #expect(dangling.message.hasSuffix(": RBAC: role.rbac.authorization.k8s.io \"r\" not found"))
        _ = await test.send("DELETE", "\(bindings)/b")
        #expect(await test.send("GET", pods, user: dev).message == refused.message)
    }

    @Test("a ClusterRole in a RoleBinding reaches as far as the namespace, with all that it aggregates")
    func aggregation() async throws {
        let test = try await server()
        let subject: JSON = ["kind": "User", "name": "dev"]
        let bindings = "\(Self.rbac)/namespaces/default/rolebindings"
        _ = await test.send("POST", bindings, Self.binding("b", "ClusterRole", "edit", [subject]))
        // Reading is what `edit` has from `view`.
        #expect(await test.send("GET", "/api/v1/namespaces/default/pods", user: dev).status == 200)
        let map: JSON = ["metadata": ["name": "m"]]
        #expect(await test.send("POST", "/api/v1/namespaces/default/configmaps", map, user: dev).status == 201)
        #expect(await test.send("GET", "/api/v1/namespaces/kube-system/pods", user: dev).status == 403)
        #expect(await test.send("GET", "/api/v1/namespaces/default", user: dev).status == 200)
        var own = Self.role("own", [["verbs": ["get"], "apiGroups": ["x.io"], "resources": ["things"]]])
        own.set("true", at: ["metadata", "labels", "rbac.authorization.k8s.io/aggregate-to-view"])
        _ = await test.send("POST", "\(Self.rbac)/clusterroles", own)
        for name in ["view", "edit", "admin"] {
            let rules = await test.send("GET", "\(Self.rbac)/clusterroles/\(name)").json["rules"]?.array ?? []
            #expect(rules.contains { $0["apiGroups"] == ["x.io"] }, "\(name)")
        }
    }

    @Test("nobody hands out what they do not hold")
    func escalation() async throws {
        let test = try await server()
        let subject: JSON = ["kind": "User", "name": "dev"]
        let bindings = "\(Self.rbac)/namespaces/default/rolebindings"
        _ = await test.send("POST", bindings, Self.binding("b", "ClusterRole", "admin", [subject]))
        let roles = "\(Self.rbac)/namespaces/default/roles"
        let all: JSON = ["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]
        let refused = await test.send("POST", roles, Self.role("up", [all]), user: dev)
        #expect(refused.status == 403)
        #expect(
            refused.message
                == "roles.rbac.authorization.k8s.io \"up\" is forbidden: user \"dev\" (groups=[\"team\" "
                + "\"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n"
                + "{APIGroups:[\"*\"], Resources:[\"*\"], Verbs:[\"*\"]}"
        )
        let some: JSON = ["verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]]
        #expect(await test.send("POST", roles, Self.role("some", [some]), user: dev).status == 201)
        let patch = await test.send(
            "PATCH",
            "\(roles)/some",
            ["rules": [all]],
            contentType: "application/merge-patch+json",
            user: dev
        )
        #expect(patch.status == 403)
        let master = Self.binding("m", "ClusterRole", "cluster-admin", [subject])
        #expect(await test.send("POST", bindings, master, user: dev).status == 403)
        #expect(
            await test.send("POST", bindings, Self.binding("s", "Role", "some", [subject]), user: dev).status == 201
        )
        let ghost = await test.send("POST", bindings, Self.binding("g", "Role", "ghost", [subject]), user: dev)
        #expect(ghost.status == 404 && ghost.message == "role.rbac.authorization.k8s.io \"ghost\" not found")
    }

    @Test("what a binding refers to stays; roles and bindings are checked")
    func validation() async throws {
        let test = try await server()
        let path = "\(Self.rbac)/clusterrolebindings"
        let subject: JSON = ["kind": "User", "name": "dev"]
        #expect(await test.send("POST", path, Self.binding("b", "ClusterRole", "view", [subject])).status == 201)
        let changed = await test.send("PUT", "\(path)/b", Self.binding("b", "ClusterRole", "edit", [subject]))
        #expect(changed.status == 422 && changed.message.hasSuffix("cannot change roleRef"))
        let bad = await test.send("POST", path, Self.binding("c", "Role", "view", [["kind": "Robot", "name": ""]]))
        #expect(
            bad.message
                == "ClusterRoleBinding.rbac.authorization.k8s.io \"c\" is invalid: [roleRef.kind: Unsupported value: "
                + "\"Role\": supported values: \"ClusterRole\", subjects[0].name: Required value, subjects[0].kind: "
                + "Unsupported value: \"Robot\": supported values: \"ServiceAccount\", \"User\", \"Group\"]"
        )
        let role = await test.send("POST", "\(Self.rbac)/clusterroles", Self.role("x", [["apiGroups": [""]]]))
        #expect(role.message.contains("rules[0].verbs: Required value: verbs must contain at least one value"))
        // A PUT makes what is not there.
        let made = await test.send("PUT", "\(path)/new:one", Self.binding("new:one", "ClusterRole", "view", []))
        #expect(made.status == 201)
    }

    @Test("without credentials one learns that the server lives, and nothing else")
    func anonymous() async throws {
        let test = try await server()
        for path in ["/version", "/healthz", "/livez", "/readyz"] {
            #expect(await test.send("GET", path, user: nil).status == 200, "\(path)")
        }
        let refused = await test.send("GET", "/api", user: nil)
        #expect(refused.message == "forbidden: User \"system:anonymous\" cannot get path \"/api\"")
        #expect(await test.send("GET", "/api", user: dev).status == 200)
    }

    @Test("default roles that lost rules get them back at the next start; those marked as left alone do not")
    func mending() async throws {
        let test = try await server()
        let path = "\(Self.rbac)/clusterroles"
        func patch(_ name: String, _ body: JSON) async {
            _ = await test.send(
                "PATCH",
                "\(path)/\(name)",
                body,
                contentType: "application/merge-patch+json"
            )
        }
        await patch("system:discovery", ["rules": [["verbs": ["get"], "nonResourceURLs": ["/mine"]]]])
        let alone: JSON = ["annotations": ["rbac.authorization.kubernetes.io/autoupdate": "false"]]
        await patch("system:basic-user", ["metadata": alone, "rules": []])
        try await test.server.bootstrap()
        let mended = await test.send("GET", "\(path)/system:discovery").json["rules"]?.array ?? []
        #expect(mended.first?["nonResourceURLs"] == ["/mine"])
        #expect(mended.contains { $0["nonResourceURLs"] == ["/apis"] })
        #expect((await test.send("GET", "\(path)/system:basic-user").json["rules"]?.array ?? []).isEmpty)
    }

    @Test("impersonation takes the right to it, and shows what the other one may do")
    func impersonation() async throws {
        let test = try await server()
        var bob = Impersonation()
        bob.name = "bob"
        let pods = "/api/v1/namespaces/default/pods"
        func list(_ user: APIUser) async -> APIResponse {
            await test.send("GET", pods, bytes: [], user: user, impersonation: bob)
        }
        #expect(
            await list(TestServer.admin).message
                == "pods is forbidden: User \"bob\" cannot list resource \"pods\" in API group \"\" in the namespace "
                + "\"default\""
        )
        #expect(
            await list(dev).message
                == "pods is forbidden: User \"dev\" cannot impersonate-on:user-info:list resource \"pods\" in API group "
                + "\"\" in the namespace \"default\""
        )
        let rule: JSON = [
            "verbs": ["impersonate"], "apiGroups": [""], "resources": ["users"], "resourceNames": ["bob"],
        ]
        _ = await test.send("POST", "\(Self.rbac)/clusterroles", Self.role("act", [rule]))
        let subject: JSON = ["kind": "User", "name": "dev"]
        _ = await test.send(
            "POST",
            "\(Self.rbac)/clusterrolebindings",
            Self.binding("act", "ClusterRole", "act", [subject])
        )
        #expect(await list(dev).message.contains("User \"bob\" cannot list"))
        bob.groups = ["system:masters"]
        #expect(await list(dev).message.contains("User \"dev\" cannot impersonate-on:"))
        #expect(await list(TestServer.admin).status == 200)
    }

    @Test("no other path or method does what the right one is refused for")
    func detours() async throws {
        let test = try await server()
        let rule: JSON = [
            "verbs": ["watch", "update"], "apiGroups": ["", "coordination.k8s.io"], "resources": ["*"],
        ]
        _ = await test.send("POST", "\(Self.rbac)/clusterroles", Self.role("watcher", [rule]))
        let binding = Self.binding("watcher", "ClusterRole", "watcher", [["kind": "User", "name": "dev"]])
        _ = await test.send("POST", "\(Self.rbac)/clusterrolebindings", binding)
        _ = await test.send("POST", "/api/v1/namespaces/default/configmaps", ["metadata": ["name": "m"]])
        let delete = await test.send("DELETE", "/api/v1/watch/namespaces/default/configmaps/m", user: dev)
        #expect(delete.status == 403 && delete.message.contains("cannot delete resource"))
        #expect(await test.send("GET", "/api/v1/namespaces/default/configmaps/m").status == 200)
        let lease: JSON = ["metadata": ["name": "l"]]
        let path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l"
        let put = await test.send("PUT", path, lease, user: dev)
        #expect(put.status == 403 && put.message.contains("cannot create resource \"leases\""))
        #expect(await test.send("PUT", path, lease).status == 201)
    }

    @Test("a definition takes no place that is the server's own, neither to write there nor to clear it")
    func shadowing() async throws {
        let test = try await server()
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        let schema: JSON = ["openAPIV3Schema": ["type": "object", "x-kubernetes-preserve-unknown-fields": true]]
        var definition: JSON = [
            "metadata": ["name": "clusterrolebindings.rbac.authorization.k8s.io"],
            "spec": [
                "group": "rbac.authorization.k8s.io", "scope": "Cluster",
                "names": ["plural": "clusterrolebindings", "kind": "Foo"],
                "versions": [["name": "v2", "served": true, "storage": true, "schema": schema]],
            ],
        ]
        let refused = await test.send("POST", definitions, definition)
        #expect(refused.status == 422)
        #expect(
            refused.message.hasSuffix(
                "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval "
                    + "annotation \"api-approved.kubernetes.io\", see "
                    + "https://github.com/kubernetes/enhancements/pull/1111"
            )
        )
        definition.set("maybe", at: ["metadata", "annotations", "api-approved.kubernetes.io"])
        #expect(await test.send("POST", definitions, definition).message.contains("with either a URL or a reason"))
        definition.set("unapproved, a test", at: ["metadata", "annotations", "api-approved.kubernetes.io"])
        #expect(await test.send("POST", definitions, definition).status == 201)
        let path = "\(definitions)/clusterrolebindings.rbac.authorization.k8s.io"
        let conditions = await test.send("GET", path).json[path: "status", "conditions"]?.array ?? []
        #expect(conditions.first?["reason"] == "PluralConflict" && conditions.first?["status"] == "False")
        var evil = Self.binding("evil", "ClusterRole", "cluster-admin", [["kind": "User", "name": "dev"]])
        evil["kind"] = "Foo"
        let written = await test.send("POST", "/apis/rbac.authorization.k8s.io/v2/clusterrolebindings", evil)
        #expect(written.status == 404)
        let before = await test.send("GET", "\(Self.rbac)/clusterrolebindings").json["items"]?.array?.count ?? 0
        #expect(await test.send("DELETE", path).status == 200)
        #expect(await test.send("GET", path).status == 404)
        let after = await test.send("GET", "\(Self.rbac)/clusterrolebindings").json["items"]?.array?.count ?? 0
        #expect(before > 1 && after == before)
    }

    @Test("who may read an object may not therefore watch it, and a query does not change that")
    func watchingOne() async throws {
        let test = try await server()
        let rule: JSON = ["verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"]]
        _ = await test.send("POST", "\(Self.rbac)/clusterroles", Self.role("reader", [rule]))
        let binding = Self.binding("reader", "ClusterRole", "reader", [["kind": "User", "name": "dev"]])
        _ = await test.send("POST", "\(Self.rbac)/clusterrolebindings", binding)
        let maps = "/api/v1/namespaces/default/configmaps"
        _ = await test.send("POST", maps, ["metadata": ["name": "m"]])
        let answer = await test.send("GET", "\(maps)/m?watch=true", user: dev)
        #expect(answer.status == 200 && answer.json["kind"] == "ConfigMap")
        let watch = await test.send("GET", "/api/v1/watch/namespaces/default/configmaps/m", user: dev)
        #expect(watch.message.contains("cannot watch resource"))
    }

    @Test("whoever acts as somebody says as whom, in the real server's words")
    func nobody() async throws {
        let test = try await server()
        var claim = Impersonation()
        claim.groups = ["one", "two"]
        claim.extra = ["team": ["red"]]
        let answer = await test.send("GET", "/version", bytes: [], impersonation: claim)
        #expect(answer.status == 400)
        #expect(
            answer.message
                == "requested &user.DefaultInfo{Name:\"\", UID:\"\", Groups:[]string{\"one\", \"two\"}, "
                + "Extra:map[string][]string{\"team\":[]string{\"red\"}}} without impersonating a user name"
        )
    }

    @Test("a role whose lists multiply beyond measure is more than anybody holds, and takes no time to be refused")
    func multiplied() async throws {
        let many = (0..<10_000).map { "x\($0)" }
        let rule = PolicyRule(verbs: many, apiGroups: many, resources: many, resourceNames: many)
        let holder = PolicyRule(verbs: many, apiGroups: many, resources: many)
        #expect(
            RuleCoverage(held: [holder]).missing(of: [rule]) == [
                PolicyRule(verbs: ["x0"], apiGroups: ["x0"], resources: ["x0"], resourceNames: ["x0"])
            ]
        )
        let some = PolicyRule(verbs: Array(many.prefix(20)), apiGroups: Array(many.prefix(20)), resources: ["x0"])
        #expect(RuleCoverage(held: [holder]).missing(of: [some, some]).isEmpty)
        #expect(
            RuleCoverage.text(RuleCoverage(held: []).missing(of: [some])).split(separator: "\n").count == 20
        )
    }

    @Test("stars in rules mean what they mean to the real server")
    func stars() {
        func allows(_ resources: [String], _ resource: String, _ sub: String = "") -> Bool {
            PolicyRule(verbs: ["*"], apiGroups: ["*"], resources: resources)
                .allows(AccessRequest(verb: "get", resource: resource, sub: sub))
        }
        #expect(allows(["*"], "pods", "log") && allows(["*/scale"], "deployments", "scale"))
        #expect(!allows(["pods/*"], "pods", "log") && !allows(["pods"], "pods", "log") && !allows(["*/scale"], "pods"))
        #expect(PolicyRule.covers("/api/*", "/api/v1") && !PolicyRule.covers("/api/*", "/api"))
        #expect(PolicyRule.covers("/healthz*", "/healthz/ping"))
    }
}
