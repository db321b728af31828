// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model

/// Keeps what a user's requests carry: reads files again as they change, asks the plugin again when its answer ends or
/// is refused. Requests that need a fresh answer at once share one.
actor CredentialSource {
    private let config: KubeConfig
    private let wall: WallClock
    private let run: @Sendable (CredentialPlugin, JSON) async throws -> [UInt8]

    private var files: (credential: Credential, readAt: Timestamp)?
    private var answer: PluginAnswer?
    private var asking: Task<PluginAnswer, any Error>?

    /// So long a file is believed.
    private static let patience = Duration.seconds(10)

    init(
        _ config: KubeConfig,
        wall: WallClock,
        run: @escaping @Sendable (CredentialPlugin, JSON) async throws -> [UInt8] = PluginProcess.run
    ) {
        self.config = config
        self.wall = wall
        self.run = run
    }

    func current() async throws -> Credential {
        var credential = try ofFiles()
        guard let plugin = config.user.plugin, credential.authorization == nil else { return credential }
        let answer = try await ofPlugin(plugin)
        credential.authorization = answer.token.map(Credential.bearer)
        credential.identity = answer.identity ?? credential.identity
        return credential
    }

    /// The cluster refused that credential. Whether another may be had.
    func refuse(_ refused: Credential) async -> Bool {
        files = nil
        // Of many requests that carried it only the first makes us ask again.
        if let answer, answer.isIn(refused) {
            self.answer = nil
            return true
        }
        return (try? await current()) != refused
    }

    // MARK: Files

    private func ofFiles() throws -> Credential {
        let user = config.user
        if let files, !user.changes || wall.now < files.readAt + Self.patience { return files.credential }
        var credential = Credential()
        do {
            let token = try user.tokenFile.map { try TokenFile.read($0) }
            credential.authorization = (token ?? user.token).map(Credential.bearer) ?? user.basic?.authorization
            credential.identity = try user.identity?.read()
        } catch {
            // In the middle of a rotation, or before it: what held until now, or the token beside the file.
            if let files { return files.credential }
            guard user.identity == nil, let token = user.token else { throw error }
            credential.authorization = Credential.bearer(token)
        }
        files = (credential, wall.now)
        return credential
    }

    // MARK: Plugin

    private func ofPlugin(_ plugin: CredentialPlugin) async throws -> PluginAnswer {
        while true {
            if let answer, answer.isGood(at: wall.now) { return answer }
            let asking = self.asking ?? ask(plugin)
            self.asking = asking
            defer { if self.asking == asking { self.asking = nil } }
            do {
                // Whoever gives up ends the program; those who still wait start it again.
                let answer = try await withTaskCancellationHandler {
                    try await asking.value
                } onCancel: {
                    asking.cancel()
                }
                self.answer = answer
                return answer
            } catch is CancellationError {
                try Task.checkCancellation()
            }
        }
    }

    /// A task of its own: the requests that wait for it come and go.
    private func ask(_ plugin: CredentialPlugin) -> Task<PluginAnswer, any Error> {
        Task { [run, config] in try PluginAnswer(try await run(plugin, try plugin.request(for: config)), from: plugin) }
    }
}

extension KubeUser {
    fileprivate var changes: Bool { tokenFile != nil || identity?.isInFiles == true }
}

extension WallClock {
    /// This machine's clock.
    static let machine = WallClock { Timestamp(nanoseconds: Int64(Date().timeIntervalSince1970 * 1_000_000_000)) }
}
