// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Testing

@Suite("the app file")
struct AppFileTests {
    private static let whole = """
        apiVersion: ballast.dev/v1alpha1
        kind: App
        metadata: { name: cart, namespace: shop }
        spec:
          owner: checkout
          test:
            - { name: unit, run: swift test }
          image:
            repository: registry.internal/shop/cart
            pullHost: registry-vpc.internal
            credentials: { secretRef: registry-login }
            build: { run: swift build, from: scratch, files: [{ from: .build/release/cart, to: /bin/cart, libraries: true }], entrypoint: [/bin/cart] }
          deploy:
            clusters: [[staging], [prod-a, prod-b]]
            replicas: 2
            ports: [{ name: http, port: 8080 }]
            env: { CURRENCY: EUR, DB_URL: { secretRef: cart-db, key: url }, FLAGS: { configRef: cart-flags, key: json } }
            files: [{ mountPath: /etc/cart, configRef: cart-config }]
            before: [{ name: migrate, run: [/bin/cart, migrate] }]
            manifests: [./k8s]
            overrides: { prod-a: { replicas: 6 } }
            resources: { requests: { cpu: 50m, memory: 64Mi }, limits: { memory: 128Mi } }
            probes: { readiness: { http: /healthz }, liveness: { http: /healthz } }
            volumes: [{ name: data, mountPath: /data, size: 1Gi }]
            verify: { for: 60s, errorRate: "< 1%", p99: "< 300ms", logErrors: "< 5/min" }
          metrics: { port: http, path: /metrics, slo: { availability: 99.9%, latency: { p99: 300ms } } }
          alerts:
            - { name: CartErrors, expr: 'rate(http_errors_total{app="cart"}[5m]) > 0.05', for: 2m, severity: page, runbook: cart/errors }
          logs: { format: json, retention: 30d }
          docs: ./docs
          routes:
            - { hosts: [shop.localhost], paths: [/cart], methods: [GET, POST], auth: none, rateLimit: 100/s, timeout: 5s, retries: 2 }
          access:
            - { from: web, methods: [GET, POST], paths: [/cart/*] }

        """

    private func complaints(_ text: String) -> [String] {
        AppFile.parse(text, file: "ballast.yaml").complaints.map(\.description)
    }

    @Test func theWholeFormatIsAccepted() throws {
        let (parsed, complaints) = AppFile.parse(Self.whole, file: "ballast.yaml")
        #expect(complaints.isEmpty)
        let app = try #require(parsed)
        #expect(app.name.text == "cart" && app.namespace.text == "shop")
        #expect(app.deploy.waves.map { $0.map(\.text) } == [["staging"], ["prod-a", "prod-b"]])
        #expect(app.deploy.environment.map(\.name) == ["CURRENCY", "DB_URL", "FLAGS"])
        #expect(app.deploy.environment.map(\.value)[1] == .secret(name: "cart-db", key: "url", isOptional: false))
        #expect(app.image.build?.files.first?.hasLibraries == true)
    }

    @Test func allErrorsComeAtOnceWithLineKeyAndTheNearestName() {
        let text = """
            apiVersion: ballast.dev/v1alpha1
            kind: App
            metadata: { name: Cart }
            spec:
              image: { repository: localhost:5000/cart, build: { files: [{ from: a, to: bin/a }] } }
              deploy:
                replica: 2
                ports: [{ name: http, port: 80800 }]
                resources: { requests: { memory: 64MB } }
                probes: { readiness: { htpp: / } }
            """
        #expect(
            complaints(text) == [
                "ballast.yaml:3: metadata.name: 'Cart' is not a DNS label (lower-case letters, digits and '-', at most 63)",
                "ballast.yaml:5: spec.image.build.files[0].to: 'bin/a' is not an absolute path",
                "ballast.yaml:7: spec.deploy.replica: unknown key 'replica'; did you mean 'replicas'?",
                "ballast.yaml:8: spec.deploy.ports[0].port: 80800 is not a whole number from 1 to 65535",
                "ballast.yaml:9: spec.deploy.resources.requests.memory: '64MB' is not a quantity like 250m, 64Mi or 1Gi",
                "ballast.yaml:10: spec.deploy.probes.readiness.htpp: unknown key 'htpp'; did you mean 'http'?",
                "ballast.yaml:10: spec.deploy.probes.readiness: needs 'http' or 'tcp' or 'exec'",
            ]
        )
    }

    @Test(arguments: [
        ("", "ballast.yaml:1: the file is empty"),
        ("a: [1", "ballast.yaml:2: did not find expected"),
        ("a: 1\na: 2", "ballast.yaml:"),
        ("- a", "ballast.yaml:1: expected a mapping, found a list"),
        ("a: &x [*x]", "ballast.yaml:1"),
    ])
    func brokenFilesAreRefusedWithTheirLine(_ text: String, _ start: String) {
        let found = complaints(text)
        #expect(found.first?.hasPrefix(start) == true, "\(found)")
    }

    @Test func anAliasBombIsRefused() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(complaints(text).first?.contains("more than") == true)
    }

    @Test func referencesBetweenKeysAreChecked() {
        let text = """
            apiVersion: ballast.dev/v1alpha1
            kind: App
            metadata: { name: cart }
            spec:
              image: { build: { files: [{ from: a, to: /bin/a }] } }
              deploy:
                ports: [{ name: http, port: 80 }, { name: http, port: 81 }]
                probes: { readiness: { http: /, port: htp } }
                overrides: { lokal: { replicas: 1 } }
              routes: [{ hosts: [a.localhost], port: nope }]
            """
        let found = complaints(text)
        #expect(
            found.contains {
                $0.hasPrefix("ballast.yaml:7: spec.deploy.ports: the port 'http' is given more than once")
            }
        )
        #expect(found.contains { $0.contains("there is no port 'htp'") && $0.contains("did you mean 'http'?") })
        #expect(found.contains { $0.contains("overrides.lokal") && $0.contains("did you mean 'local'?") })
        #expect(found.contains { $0.contains("there is no port 'nope'") })
    }

    @Test func theSchemaNamesEveryKeyOfTheFormat() throws {
        let schema = BallastResources.fileSchema
        let deploy = schema[path: "properties", "spec", "properties", "deploy", "properties"]
        for key in [
            "clusters", "replicas", "ports", "env", "files", "before", "manifests", "overrides", "resources", "probes",
        ] {
            #expect(deploy?[key] != nil, "\(key)")
        }
        #expect(schema[path: "properties", "spec", "additionalProperties"] == false)
    }
}
