// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import FoundationEssentials
import Model
import Testing

@Suite("nasty app files")
struct HostileYAMLTests {
    private static let head = """
        apiVersion: ballast.dev/v1alpha1
        kind: App
        metadata: { name: cart, namespace: shop }
        spec:
          image: { build: { files: [{ from: a, to: /bin/a }] } }

        """

    private func complaints(_ text: String) -> [String] {
        AppFile.parse(text, file: "f").complaints.map(\.description)
    }

    private func app(_ deploy: String) throws -> App {
        let (app, complaints) = AppFile.parse(Self.head + "  deploy:\n" + deploy, file: "f")
        #expect(complaints.isEmpty, "\(complaints)")
        return try #require(app)
    }

    /// Loads a file with these bytes; the error's text where it is refused.
    private func load(_ bytes: [UInt8]) throws -> (file: AppFile?, error: String) {
        let path = FileManager.default.temporaryDirectory.path + "/ballast-\(UUID().uuidString).yaml"
        try Data(bytes).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            return (try AppFile.load(path), "")
        } catch {
            return (nil, "\(error)".replacing(path, with: "f"))
        }
    }

    private func environment(_ text: String) throws -> [String: App.EnvironmentValue] {
        let pairs = try app("    env: \(text)\n").deploy.environment.map { ($0.name, $0.value) }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    @Test func anEnvironmentVariableIsTheTextItIsWrittenAs() throws {
        let found = try environment(
            "{ A: 8080, B: 1.10, C: 0x1F, D: true, E: True, F: 1e3, G: '007', H: 007, I: no, J: \"\", K: +5, L: 2026-01-01 }"
        )
        let wanted = [
            "A": "8080", "B": "1.10", "C": "0x1F", "D": "true", "E": "True", "F": "1e3", "G": "007", "H": "007",
            "I": "no", "J": "", "K": "+5", "L": "2026-01-01",
        ]
        #expect(found == wanted.mapValues { .text($0) })
    }

    @Test func theStoredObjectHoldsTextForThem() throws {
        let stored = try app("    env: { PORT: 8080, REF: { secretRef: s, key: k } }\n").object
        #expect(stored.spec["deploy"]?["env"]?["PORT"] == "8080")
        #expect(stored.spec["deploy"]?["env"]?["REF"]?["key"] == "k")
    }

    @Test func anEmptyEnvironmentVariableMustSayThatItIsMeant() {
        #expect(
            complaints(Self.head + "  deploy:\n    env: { A: }\n") == [
                "f:7: spec.deploy.env.A: is empty: expected text or a mapping; write \"\" for an empty text"
            ]
        )
    }

    @Test(arguments: ["deploy:", "deploy: ~", "deploy: null"])
    func anEmptySectionIsNamed(_ text: String) {
        #expect(
            complaints(Self.head + "  \(text)\n") == [
                "f:6: spec.deploy: is empty: expected a mapping; check the indentation, or remove the key"
            ]
        )
    }

    @Test func aNumberWhereTextIsNeededIsToldHowToBecomeText() {
        let found = complaints(Self.head + "  deploy: {}\n  owner: 0x2A\n")
        #expect(found == ["f:7: spec.owner: expected text, found the number 42 (quote it: \"0x2A\")"])
    }

    @Test func aTabIsCalledATab() {
        #expect(
            complaints(Self.head + "  deploy:\n\treplicas: 1\n") == [
                "f:7: a tab indents this line; YAML takes spaces only"
            ]
        )
    }

    @Test func aKeyGivenTwiceIsNamed() {
        let found = complaints(Self.head + "  deploy:\n    replicas: 1\n    ports: []\n    replicas: 2\n")
        #expect(found == ["f:7: the key 'replicas' is given more than once"])
    }

    @Test func anchorsAndMergeKeysWork() throws {
        let app = try app(
            """
                resources: &small
                  requests: &amount { cpu: 50m, memory: 64Mi }
                  limits: { <<: *amount, memory: 128Mi }

            """
        )
        #expect(app.deploy.resources?["limits"] == ["memory": "128Mi", "cpu": "50m"])
    }

    @Test func windowsLineEndsAndAByteOrderMarkDoNoHarm() throws {
        let text = (Self.head + "  deploy: { replicas: 3 }\n").replacing("\n", with: "\r\n")
        let (file, error) = try load([0xEF, 0xBB, 0xBF] + Array(text.utf8))
        #expect(file?.app.deploy.replicas == 3, "\(error)")
        let broken = (Self.head + "  deploy: { replica: 3 }\n").replacing("\n", with: "\r\n")
        #expect(complaints(broken) == ["f:6: spec.deploy.replica: unknown key 'replica'; did you mean 'replicas'?"])
    }

    @Test func textThatIsNotUTF8NamesItsLine() throws {
        #expect(try load(Array("a: é\nb: ".utf8) + [0xE9, 0x0A]).error.hasPrefix("f:2: is not UTF-8 text"))
        #expect(try load([0xFF, 0xFE, 0x61, 0x00]).error.hasPrefix("f:1: is UTF-16 text"))
        #expect(try load([]).error.hasPrefix("f:1: the file is empty"))
        #expect(try load(Array("a: \u{0}\n".utf8)).error.hasPrefix("f:1: "))
    }

    @Test func aHugeFileIsRefusedBeforeItIsParsed() throws {
        let (_, error) = try load(Array(repeating: 0x23, count: (1 << 20) + 1))
        #expect(error == "f:1: is 1048577 bytes long; an app file has at most 1048576")
    }

    @Test(arguments: ["[", "{a: ", "- ", "? ", "- [", "[{b: "])
    func deepNestingIsRefusedWithoutOverflowingTheStack(_ piece: String) {
        let found = complaints(String(repeating: piece, count: 200_000))
        #expect(found.count == 1 && found[0].contains("nest too deeply"), "\(found)")
    }

    @Test func nestingByIndentationIsLimitedToo() {
        let text = (0..<2000).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n")
        #expect(complaints(text).first?.contains("nest too deeply") == true)
    }

    @Test func manyBracketsThatCloseAreNoDepth() throws {
        let ports = (1...300).map { "{ name: p\($0), port: \($0) }" }.joined(separator: ", ")
        #expect(try app("    ports: [\(ports)]\n").deploy.ports.count == 300)
    }

    @Test func overridesAreLaidOverTheClustersSettings() throws {
        let app = try app(
            """
                replicas: 2
                env: { A: x, B: y }
                ports: [{ name: http, port: 80 }]
                overrides: { local: { replicas: 1, env: { B: z }, ports: [{ name: web, port: 81 }] } }

            """
        )
        let local = app.overridden(for: .local)
        #expect(local.deploy.replicas == 1)
        #expect(local.deploy.environment.map(\.value) == [.text("x"), .text("z")])
        #expect(local.deploy.ports.map(\.name) == ["web"])
        #expect(local.object == app.object)
    }

    @Test func anOverrideIsCheckedAsTheClusterGetsIt() {
        let found = complaints(
            Self.head + """
                  deploy:
                    ports: [{ name: http, port: 80 }]
                    probes: { readiness: { http: /, port: http } }
                    overrides: { local: { ports: [{ name: web, port: 80 }] } }

                """
        )
        #expect(found.count == 1 && found[0].contains("spec.deploy.overrides.local"), "\(found)")
        #expect(found.first?.contains("there is no port 'http'") == true)
    }

    @Test func aKeysPlaceIsItsLine() throws {
        let text = Self.head + "  deploy:\n    replicas: 1\n  routes:\n    - hosts: [a]\n      timeout: 5s\n"
        let file = try AppFile.read(
            text.replacing("replicas: 1", with: "ports: [{ name: p, port: 1 }]"),
            path: "/x/f",
            shownAs: "f"
        )
        #expect(file.place(of: "spec.routes[0].timeout") == "/x/f:10")
        #expect(file.place(of: "spec.deploy.verify") == "/x/f:6")
        #expect(file.folder == "/x")
    }
}
