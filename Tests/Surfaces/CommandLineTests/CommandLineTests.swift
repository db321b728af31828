// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Foundation
import Model
import Ports
import Releases
import TestKit
import Testing

@testable import CommandLine

@Suite("a release on a terminal")
struct ReleaseViewTests {
    private let clear = "\r\u{1B}[K"

    @Test func doneThingsStayAndOneLineIsRewritten() {
        var view = ReleaseView(width: 40)
        #expect(view.take(.started(app: AppName("cart"), number: 7), at: .zero) == "release cart 7\r\n")
        #expect(view.take(.stageStarted(.test), at: .seconds(1)) == "\u{1B}[?25l\(clear)test 0 s")
        #expect(
            view.take(.output(step: "test unit", line: "ok"), at: .seconds(3)) == "\(clear)test 2 s  [test unit] ok"
        )
        #expect(view.take(.note("hello"), at: .seconds(4)) == "\(clear)  hello\r\n\(clear)test 3 s")
        #expect(view.repaint(at: .seconds(5)) == "\(clear)test 4 s")
        #expect(view.take(.stageEnded(.test, took: .milliseconds(4250)), at: .seconds(6)) == "\(clear)✓ test 4.2 s\r\n")
        #expect(view.end() == "\(clear)\u{1B}[?25h")
        #expect(view.end() == "")
    }

    @Test func theStatusLineNeverWrapsAndEscapesOfCommandsAreDropped() {
        var view = ReleaseView(width: 20)
        _ = view.take(.stageStarted(.image), at: .zero)
        let long = view.take(
            .output(step: "b", line: "\u{1B}[31m" + String(repeating: "x", count: 99) + "\u{1B}[0m\u{7}"),
            at: .zero
        )
        #expect(long == clear + "image 0 s  [b] xxxx")
        let wide = view.take(.output(step: "b", line: "漢字漢字漢字"), at: .zero)
        #expect(wide == clear + "image 0 s  [b] 漢字")
        #expect(ReleaseView.printable("a\u{1B}[2Jb\tc\u{1B}]0;t\r\nd") == "ab c0;td")
    }

    @Test func whatIsAwaitedIsReplacedAndWhatFailedStays() {
        var view = ReleaseView(width: 60, hasColour: true)
        _ = view.take(.stageStarted(.pods), at: .zero)
        #expect(view.take(.waiting("0 of 2 ready"), at: .zero) == "\(clear)pods 0 s  0 of 2 ready")
        #expect(view.take(.waiting("1 of 2 ready"), at: .seconds(1)) == "\(clear)pods 1 s  1 of 2 ready")
        #expect(
            view.take(.stageFailed(.pods, took: .seconds(2)), at: .seconds(2))
                == "\(clear)\u{1B}[31m✗\u{1B}[0m pods 2.0 s\r\n\(clear)pods 2 s"
        )
        view.width = 8
        #expect(view.take(.waiting(String(repeating: "x", count: 50)), at: .seconds(3)).count == clear.count + 19)
    }

    private let start = Timestamp(seconds: 1_800_000_000)

    private func report(_ cluster: String, _ objects: [(ResourceType, String, Health.State, Diagnosis?)])
        -> HealthReport
    {
        HealthReport(
            cluster: cluster,
            objects: objects.map { type, name, state, diagnosis in
                HealthReport.Object(
                    reference: ObjectReference(type, namespace: "shop", name: name),
                    state: state,
                    reason: "Because",
                    message: state == .current ? "ready" : "0 of 2 new pods ready",
                    suspected: diagnosis.map { .init(diagnosis: $0, since: start, counts: start + .seconds(5)) }
                )
            }
        )
    }

    private let missing = Diagnosis(code: .imageMissing, cause: "no such image", advice: "push it", pod: "cart-x")

    @Test func severalObjectsHaveALineEachWithTroubleFirst() {
        var view = ReleaseView(width: 60)
        _ = view.take(.stageStarted(.pods), at: .zero)
        _ = view.take(.health(report("a", [(.deployments, "web", .current, nil)])), at: .zero)
        let two = view.take(.health(report("bc", [(.deployments, "web", .inProgress, missing)])), at: .seconds(1))
        #expect(
            two == "\(clear)pods 1 s  1 of 2 objects as asked in 2 clusters"
                + "\r\n  ! bc  deployment/web  B101 no such image\r\n  ✓ a   deployment/web  ready"
        )
        // A terminal that became narrower has wrapped two of the lines.
        var narrow = view
        narrow.width = 30
        #expect(narrow.end() == "\r\u{1B}[4A\u{1B}[J\u{1B}[?25h")
        // The block is taken away before anything is written above it.
        let note = view.take(.note("hello"), at: .seconds(2))
        #expect(note.hasPrefix("\r\u{1B}[2A\u{1B}[J  hello\r\n\(clear)pods 2 s"))
        #expect(view.end() == "\r\u{1B}[2A\u{1B}[J\u{1B}[?25h")
    }

    @Test func theBlockFitsTheTerminal() {
        var board = AwaitedBoard()
        board.take(report("a", (1...30).map { (.deployments, "web\($0)", $0 > 28 ? .inProgress : .current, nil) }))
        let lines = board.lines(atMost: 5)
        #expect(lines.count == 5)
        #expect(lines[0].text.hasPrefix("deployment/web29") && lines[1].text.hasPrefix("deployment/web30"))
        #expect(lines[4].text == "and 26 more")
        #expect(board.summary == "28 of 30 objects as asked")
    }

    @Test func programsGetAnObjectPerLine() {
        let now = Timestamp(seconds: 1_800_000_000)
        let waiting = EventLines.json(of: .health(report("a", [(.deployments, "web", .inProgress, missing)])), at: now)
        #expect(
            waiting.text
                == #"{"time":"2027-01-15T08:00:00.000000Z","event":"health","cluster":"a","objects":[{"kind":"Deployment","name":"web","state":"inProgress","reason":"Because","message":"0 of 2 new pods ready","namespace":"shop","suspected":{"code":"B101","cause":"no such image","advice":"push it","pod":"cart-x","since":"2027-01-15T08:00:00.000000Z","counts":"2027-01-15T08:00:05.000000Z"}}]}"#
        )
        let end = EventLines.json(of: .diagnosed(cluster: "a", missing, lastLines: ["bye"]), at: now)
        #expect(end["code"] == "B101" && end["lastLines"] == ["bye"])
        #expect(EventLines.json(of: .stageEnded(.pods, took: .seconds(2)), at: now)["milliseconds"] == 2000)
    }

    @Test func whatIsWrongIsToldWithTheTimeThatIsLeftAlsoOfOneObject() {
        var view = ReleaseView(width: 60, startedAt: start)
        _ = view.take(.stageStarted(.pods), at: .zero)
        _ = view.take(.waiting("0 of 2 new pods ready"), at: .zero)
        let fine = view.take(.health(report("a", [(.deployments, "web", .inProgress, nil)])), at: .seconds(1))
        #expect(fine == clear + "pods 1 s  0 of 2 new pods ready")
        let wrong = view.take(.health(report("a", [(.deployments, "web", .inProgress, missing)])), at: .seconds(2))
        let line = "  ! deployment/web  B101 (3 s left) no such image"
        #expect(wrong == clear + "pods 2 s  0 of 2 new pods ready\r\n\(line)")
        #expect(view.repaint(at: .seconds(9)).hasSuffix("B101 (0 s left) no such image"))
    }

    @Test func plainLinesSayTheSame() {
        #expect(PlainProgress.line(for: .waiting("0 of 2 ready")) == "  0 of 2 ready")
        #expect(PlainProgress.line(for: .stageFailed(.test, took: .seconds(2))) == "test: failed after 2.0 s")
    }

    @Test(arguments: [
        (999, "999 ms"), (1000, "1.0 s"), (59_999, "59.9 s"), (60_000, "1 m 00 s"), (605_000, "10 m 05 s"),
    ])
    func timesAreShort(_ milliseconds: Int, _ text: String) {
        #expect(PlainProgress.time(.milliseconds(milliseconds)) == text)
    }
}

@Suite("verbs")
struct VerbTests {
    @Test(arguments: [
        (["statsu"], "there is no verb 'statsu'; did you mean 'status'?"),
        (["help", "relaese"], "there is no verb 'relaese'; did you mean 'release'?"),
    ])
    func aMistypedOneIsRecognised(_ words: [String], _ message: String) {
        let failure = #expect(throws: Failure.self) { try VerbNames.check(words) }
        #expect(failure?.message == message)
    }

    @Test(arguments: [[], ["help"], ["help", "up"], ["status", "statsu"], ["--version"], ["init", "relaese"]])
    func knownOnesPass(_ words: [String]) throws { try VerbNames.check(words) }
}

@Suite("where a released app answers")
struct ReleaseAnswerTests {
    private func app(_ routes: JSON) -> App {
        var object = KubeObject(.apps, namespace: "shop", name: "web")
        object["spec"] = ["routes": routes]
        return App(object)
    }

    @Test func eachHostIsNamedWithTheEdgesPort() {
        let app = app([
            ["hosts": ["shop.localhost", "*.shop.example"], "paths": ["/cart", "/"]], ["hosts": ["b.localhost"]],
        ])
        #expect(
            ReleaseCommand.answers(of: app, edgePort: 9080) == [
                "try: curl -H 'Host: shop.localhost' http://127.0.0.1:9080/cart",
                "try: curl -H 'Host: any.shop.example' http://127.0.0.1:9080/cart",
                "try: curl -H 'Host: b.localhost' http://127.0.0.1:9080/",
            ]
        )
    }

    @Test func anAppWithoutRoutesAnswersNowhere() {
        #expect(ReleaseCommand.answers(of: app([]), edgePort: 9080).isEmpty)
    }
}

@Suite("a first app file")
struct FirstAppFileTests {
    @Test(arguments: [
        "Package.swift", "go.mod", "Cargo.toml", "package.json", "requirements.txt", "Makefile", "nothing",
    ])
    func whatInitWritesIsAGoodAppFile(_ source: String) throws {
        let text = FirstAppFile(name: "cart", namespace: "shop", contents: { $0 == source ? "" : nil }).text
        let file = try AppFile.read(text, path: "/src/ballast.yaml", shownAs: "ballast.yaml")
        #expect(file.app.name.text == "cart" && file.app.namespace.text == "shop")
        #expect(file.app.tests.isEmpty == ["nothing", "package.json", "requirements.txt"].contains(source))
        #expect(file.app.routes.first?.hosts == ["cart.localhost"])
        #expect(file.app.deploy.environment.map(\.value) == [.text("8080")])
    }

    private func build(_ files: [String: String], _ programs: [String: String] = [:]) throws -> App.Build {
        let text = FirstAppFile(
            name: "cart",
            namespace: "shop",
            contents: { files[$0] },
            program: { programs[$0] }
        ).text
        return try #require(try AppFile.read(text, path: "/src/f", shownAs: "f").app.image.build)
    }

    @Test func whatAFolderSaysOfItselfIsTakenOver() throws {
        let swift = "products: [.executable(name: \"cartd\", targets: [\"x\"])], .executableTarget(name: \"x\")"
        #expect(try build(["Package.swift": swift]).files.first?.from == ".build/release/cartd")
        #expect(try build(["Package.swift": ".executableTarget(\n name: \"x\")"]).run?.hasSuffix("--product x") == true)
        let cargo = "[package]\nname = \"cart-rs\"\n"
        #expect(try build(["Cargo.toml": cargo]).files.first?.from == "target/release/cart-rs")

        let package = "{\"main\": \"./server.js\", \"scripts\": {\"build\": \"tsc\"}}"
        let node = try build(["package.json": package], ["node": "/opt/node/bin/node"])
        #expect(node.run == "npm ci && npm run build" && node.entrypoint == ["/usr/bin/node", "/app/server.js"])
        #expect(node.files.map(\.from) == ["/opt/node/bin/node", "."])

        let python = try build(["requirements.txt": "", "main.py": ""], ["python3": "/usr/bin/python3.11"])
        #expect(python.files.map(\.from) == ["/usr/bin/python3.11", "/usr/lib/python3.11", "."])
        #expect(python.entrypoint == ["/usr/bin/python3.11", "/app/main.py"])
    }

    @Test(arguments: [
        ("cart", "cart"), ("My_Cart 2", "my-cart-2"), ("2nd-try", "try"), ("--", nil), ("購物", nil), ("42", nil),
        (String(repeating: "a", count: 62) + "-b", String(repeating: "a", count: 62)),
    ])
    func aNameIsMadeFromTheFolders(_ folder: String, _ name: String?) {
        #expect(FirstAppFile.name(from: folder) == name)
    }
}

@Suite("status")
struct StatusTests {
    private func cluster() async throws -> FakeCluster {
        let cluster = FakeCluster()
        var app = KubeObject(.apps, namespace: "shop", name: "cart")
        app["spec"] = ["owner": "checkout"]
        _ = try await cluster.create(app, as: .apps)
        var record = KubeObject(.releases, namespace: "shop", name: "cart-4")
        record["spec"] = ["app": "cart", "number": 4, "namespace": "shop"]
        record["status"] = [
            "phase": "Failed", "message": "release cart-4 failed", "started": "2026-11-23T10:00:00.000000Z",
        ]
        _ = try await cluster.create(record, as: .releases)
        var early = KubeObject(.releases, namespace: "ballast-system", name: "shop.web-1")
        early["spec"] = ["app": "web", "number": 1, "namespace": "shop"]
        early["status"] = ["phase": "Failed", "message": "the step 'test unit' failed"]
        _ = try await cluster.create(early, as: .releases)
        var deployment = KubeObject(.deployments, namespace: "shop", name: "cart")
        deployment["spec"] = [
            "replicas": 2, "template": ["spec": ["containers": [["image": "r/cart@sha256:abcdef0123456789"]]]],
        ]
        deployment["status"] = ["readyReplicas": 1]
        _ = try await cluster.create(deployment, as: .deployments)
        let labels = ["app.kubernetes.io/name": "cart", "app.kubernetes.io/managed-by": "ballast"]
        var pod = KubeObject(.pods, namespace: "shop", name: "cart-x", labels: labels)
        pod["status"] = [
            "phase": "Running",
            "containerStatuses": [
                [
                    "restartCount": 3, "state": ["waiting": ["reason": "CrashLoopBackOff", "message": "back-off 40s"]],
                    "lastState": ["terminated": ["exitCode": 137, "reason": "OOMKilled"]],
                ]
            ],
        ]
        _ = try await cluster.create(pod, as: .pods)
        return cluster
    }

    @Test func aPodsTroubleIsSaidInWords() async throws {
        let rows = try await AppStatus.read(from: try await cluster(), namespace: nil)
        #expect(
            StatusCommand.text(of: rows, as: .table, hasPods: false) == """
                NAMESPACE   APP    RELEASE   PHASE    READY   DRIFT   IMAGE                 MESSAGE
                shop        cart   4         Failed   1/2     -       sha256:abcdef012345   cart-x: CrashLoopBackOff (out of memory, 3 restarts)
                shop        web    1         Failed   0/0     -       -                     the step 'test unit' failed
                """
        )
        let cart = rows.filter { $0.app == "cart" }
        #expect(
            StatusCommand.text(of: cart, as: .wide, hasPods: true) == """
                NAMESPACE   APP    RELEASE   PHASE    READY   DRIFT   IMAGE                            OWNER      STARTED                MESSAGE
                shop        cart   4         Failed   1/2     -       r/cart@sha256:abcdef0123456789   checkout   2026-11-23T10:00:00Z   cart-x: CrashLoopBackOff (out of memory, 3 restarts)

                POD      STATE                                          RESTARTS
                cart-x   CrashLoopBackOff (out of memory, 3 restarts)   3
                """
        )
        #expect(cart.first?.json["pods"]?[0]?["ready"] == false)
    }

    @Test func oneNamespaceShowsAlsoItsAppsThatNeverGotThere() async throws {
        let rows = try await AppStatus.read(from: try await cluster(), namespace: "shop")
        #expect(rows.map(\.app) == ["cart", "web"])
        #expect(try await AppStatus.read(from: try await cluster(), namespace: "other").isEmpty)
        #expect(StatusCommand.text(of: [], as: .table, hasPods: false).hasPrefix("no apps yet"))
    }
}

@Suite("the schema of app files")
struct SchemaTests {
    private static var root: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }
    private static var python: String { root.path + "/.tools/bin/python" }

    private static let script = """
        import json, sys, jsonschema
        schema = json.load(open(sys.argv[1]))
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        print(" ".join("good" if validator.is_valid(json.load(open(path))) else "bad" for path in sys.argv[2:]))
        """

    @Test(
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: SchemaTests.python),
            "scripts/setup brings Python with jsonschema"
        )
    )
    func anotherValidatorAgreesOnTheShopsFilesAndOnBrokenOnes() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ballast-schema-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var paths: [String] = []
        func write(_ json: JSON, _ name: String) throws {
            let file = folder.appending(path: name)
            try Data(json.bytes).write(to: file)
            paths.append(file.path)
        }
        try write(BallastResources.fileSchema, "schema.json")
        for app in ["web", "catalog", "cart"] {
            let text = try String(
                contentsOf: Self.root.appending(path: "Examples/shop/\(app)/ballast.yaml"),
                encoding: .utf8
            )
            try write(YAMLDocument.parse(text).json, "\(app).json")
        }
        let head = "apiVersion: ballast.dev/v1alpha1\nkind: App\nmetadata: { name: a }\nspec:\n  image: {}\n  deploy: "
        let samples = [
            ("{ env: { A: 1, B: true, C: x, D: { secretRef: s, key: k } } }", true), ("{ replica: 1 }", false),
            ("{ ports: [{ name: http, port: 0 }] }", false),
            ("{ env: { D: { secretRef: s, configRef: c, key: k } } }", false),
            ("{ probes: { readiness: { http: /, tcp: true } } }", false), ("{ clusters: [[a], [b, c]] }", true),
        ]
        for (place, sample) in samples.enumerated() {
            let text = head + sample.0 + "\n"
            try write(YAMLDocument.parse(text).json, "\(place).json")
            #expect(AppFile.parse(text, file: "f").complaints.isEmpty == sample.1, "\(sample.0)")
        }
        let process = Process()
        process.executableURL = URL(filePath: Self.python)
        process.arguments = ["-c", Self.script] + paths
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let answer = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let wanted = ["good", "good", "good"] + samples.map { $0.1 ? "good" : "bad" }
        #expect(answer.split(whereSeparator: \.isWhitespace).map(String.init) == wanted)
    }
}
