// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Releases
import Subprocess
import SystemPackage

extension ReleaseOrigin {
    /// Who is at this terminal, or whom the CI system names, and what git says of the source folder.
    static let ofThisMachine = ReleaseOrigin(
        person: { person(ProcessInfo.processInfo.environment, host: ProcessInfo.processInfo.hostName) },
        revision: { await revision(of: $0) }
    )

    /// The person behind a job, as GitHub, Gitea, GitLab and Jenkins say it; else the user at this machine, also behind sudo.
    static func person(_ environment: [String: String], host: String) -> String {
        let jobs = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_USER_ID"]
        func first(_ names: [String]) -> String? { names.compactMap { environment[$0] }.first { !$0.isEmpty } }
        if let person = first(jobs) { return person }
        return "\(first(["SUDO_USER", "LOGNAME", "USER"]) ?? NSUserName())@\(host)"
    }

    /// Where there is no git, or no repository, there is no revision; a slow disk must not hold a release up.
    private static func revision(of folder: String) async -> String? {
        guard let commit = await git("rev-parse", "--verify", "HEAD", in: folder), !commit.isEmpty else { return nil }
        guard let changes = await git("status", "--porcelain", "--untracked-files=no", "--", ".", in: folder) else {
            return commit
        }
        return changes.isEmpty ? commit : "\(commit)-dirty"
    }

    private static func git(_ arguments: String..., in folder: String) async -> String? {
        await withTaskGroup(of: String?.self) { group in
            group.addTask {
                let result = try? await Subprocess.run(
                    .name("git"),
                    arguments: Arguments(["-C", folder] + arguments),
                    output: .string(limit: 1 << 20),
                    error: .discarded
                )
                guard let result, result.terminationStatus.isSuccess else { return nil }
                return result.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(5))
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }
}
