// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
package import Ports

/// What a cluster says when it is asked, or why it does not.
package struct ClusterState: Sendable, Hashable {
    package struct Nodes: Sendable, Hashable {
        package var ready: Int
        package var all: Int

        package init(ready: Int, all: Int) {
            self.ready = ready
            self.all = all
        }
    }

    package var name: String
    package var server: String
    package var added: Timestamp?
    /// Such as `v1.36.2`.
    package var version: String?
    /// `nil` also where we may not list them.
    package var nodes: Nodes?
    /// Of one small request over an open connection.
    package var latency: Duration?
    /// Who we are there, where it tells.
    package var user: String?
    package var groups: [String] = []
    /// Why it cannot be used; `nil` where it answers.
    package var trouble: String?

    package var isReachable: Bool { trouble == nil }

    package init(name: String, server: String, added: Timestamp? = nil) {
        self.name = name
        self.server = server
        self.added = added
    }
}

extension ClusterState {
    /// Asks a cluster; what it does not let us see stays `nil`, and only one that does not answer is in trouble.
    ///
    /// `version` asks for the server's version: the smallest question there is.
    package mutating func ask(
        _ cluster: any ClusterAPI,
        version: @Sendable () async throws -> String,
        clock: some Clock<Duration> = ContinuousClock()
    ) async {
        do {
            self.version = try await version()
            let start = clock.now
            _ = try await version()
            latency = start.duration(to: clock.now)
        } catch {
            trouble = ErrorWords.text(of: error)
            return
        }
        do {
            let nodes = try await cluster.list(ListQuery(.nodes)).items
            let ready = nodes.filter { $0.condition("Ready")?["status"]?.string == "True" }
            self.nodes = Nodes(ready: ready.count, all: nodes.count)
        } catch {
            noteRefusal(error)
        }
        do {
            let review = try await cluster.create(Self.selfReview, as: .selfSubjectReviews)
            let info = review.status["userInfo"]
            user = info?["username"]?.string
            groups = (info?["groups"]?.array ?? []).compactMap(\.string)
        } catch {
            noteRefusal(error)
        }
    }

    private static let selfReview = KubeObject([
        "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview",
    ])

    /// That we may not see something is no trouble, nor that an old server does not know the question; that it does not
    /// know us is.
    private mutating func noteRefusal(_ error: any Error) {
        guard let failure = error as? Failure else {
            trouble = ErrorWords.text(of: error)
            return
        }
        let isRefusal = failure.status.map { [403, 404, 405].contains($0.code) } ?? false
        if !isRefusal { trouble = failure.description }
    }

    package var json: JSON {
        var json: JSON = ["name": .string(name), "server": .string(server), "reachable": .bool(isReachable)]
        if let version { json["version"] = .string(version) }
        if let nodes { json["nodes"] = ["ready": JSON(nodes.ready), "all": JSON(nodes.all)] }
        if let latency { json["latencyMilliseconds"] = .number(JSONNumber(text: Self.milliseconds(latency))) }
        if let user { json["user"] = .string(user) }
        if !groups.isEmpty { json["groups"] = .array(groups.map { .string($0) }) }
        if let added { json["added"] = .string(added.description) }
        if let trouble { json["trouble"] = .string(trouble) }
        return json
    }

    /// With one decimal: `3.2`.
    package static func milliseconds(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let tenths = seconds * 10_000 + (attoseconds + 50_000_000_000_000) / 100_000_000_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}
