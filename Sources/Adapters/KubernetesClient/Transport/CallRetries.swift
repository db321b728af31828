// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
import Model
import NIOCore
import NIOHTTP1

/// Decides whether and after what wait one call is made again.
struct CallRetries: Sendable {
    let isRepeatable: Bool
    var hasAuthenticatedAgain = false
    private var count = 0
    private var isLost = false

    private static let limit = 10
    private static let lostLimit = 2

    init(isRepeatable: Bool) { self.isRepeatable = isRepeatable }

    var mayAuthenticateAgain: Bool { !hasAuthenticatedAgain }

    /// What broke the last attempt before there was an answer.
    mutating func note(_ error: any Error) { isLost = ConnectionTrouble.isLost(error) }

    /// `nil`: not again. Only a server that says after how long wants to be asked again, be the call what it may: it has
    /// not begun to work on it. A lost connection is mended at once where a repetition does no harm.
    mutating func wait(after answer: RefusedAnswer?) -> Duration? {
        defer { isLost = false }
        count += 1
        if let answer {
            guard answer.status.code == 429 || answer.status.code >= 500, count <= Self.limit else { return nil }
            return answer.retryAfter
        }
        guard isRepeatable, isLost, count <= Self.lostLimit else { return nil }
        return .milliseconds(50 * count)
    }
}

/// An answer that is no success.
struct RefusedAnswer: Sendable {
    var status: KubeStatus
    /// What the header `Retry-After` says.
    var retryAfter: Duration?
    var failure: Failure

    init(_ response: HTTPClientResponse, from config: KubeConfig) async throws {
        let bytes = try await response.body.collect(upTo: 16 << 20)
        let code = Int(response.status.code)
        let words = "'\(config.server)' answered \(code) \(response.status.reasonPhrase)"
        let json = try? JSON(parsing: bytes.readableBytesView)
        status = json.flatMap { KubeStatus($0) } ?? KubeStatus(code: code, reason: "", message: words)
        retryAfter = response.headers.first(name: "Retry-After").flatMap { Int($0) }
            .map { .seconds(min(max($0, 0), 3600)) }
        failure = Failure(status)
    }
}
