// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension KubernetesServer {
    /// Which Kubernetes this server speaks.
    var versionDocument: JSON {
        [
            "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36", "minCompatibilityMajor": "1",
            "minCompatibilityMinor": "35", "gitVersion": .string(configuration.buildVersion), "gitCommit": "",
            "gitTreeState": "", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "swift",
            "platform": .string(Self.platform),
        ]
    }

    private static var platform: String {
        #if arch(arm64)
            let processor = "arm64"
        #else
            let processor = "amd64"
        #endif
        #if os(Linux)
            return "linux/\(processor)"
        #else
            return "darwin/\(processor)"
        #endif
    }

    /// `healthz`, `livez` and `readyz`: whether the log can be read.
    func health(_ name: String, check: String?, _ query: Query) -> APIResponse {
        let checks: [(name: String, problem: String?)] = [("ping", nil), ("log", logProblem)]
        if let check {
            guard let found = checks.first(where: { $0.name == check }) else { return Self.noPage }
            return Self.text(found.problem ?? "ok", status: found.problem == nil ? 200 : 500)
        }
        let isGood = checks.allSatisfy { $0.problem == nil }
        guard query["verbose"] != nil || !isGood else { return Self.text("ok") }
        let lines = checks.map { $0.problem == nil ? "[+]\($0.name) ok" : "[-]\($0.name) failed: \($0.problem ?? "")" }
        let end = "\(name) check \(isGood ? "passed" : "failed")"
        return Self.text((lines + [end, ""]).joined(separator: "\n"), status: isGood ? 200 : 500)
    }

    private var logProblem: String? {
        do {
            _ = try log.get("/registry/namespaces/default")
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// `/`: where there is something.
    func rootPaths() -> APIResponse {
        var paths = ["/api", "/api/v1", "/apis", "/apis/"]
        for group in catalog.snapshot.groups where !group.name.isEmpty {
            paths.append("/apis/\(group.name)")
            paths += group.versions.map { "/apis/\(group.name)/\($0)" }
        }
        paths += ["/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
        return Self.response(["paths": .array(paths.sorted().map { .string($0) })])
    }
}
