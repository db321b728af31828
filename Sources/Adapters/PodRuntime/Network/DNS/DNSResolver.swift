// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Answers pods' questions: the cluster's names from a zone, all others by asking the host's own name servers.
struct DNSResolver: Sendable {
    var zone: @Sendable () -> DNSZone
    var upstream: any DNSUpstream

    /// The whole message to send back, or `nil` where none is due.
    func reply(to bytes: [UInt8], isStream: Bool) async -> [UInt8]? {
        guard let read = DNSQuery.read(bytes) else { return nil }
        switch read {
        case .failure(let reason): return DNSAnswer.refusal(reason, to: bytes)
        case .success(let query):
            let limit = isStream ? 65535 : min(max(query.payload ?? 512, 512), Int(DNSAnswer.payload))
            guard let answer = zone().answer(query.name, query.type) else {
                let forwarded = await upstream.ask(bytes, isStream: isStream)
                return forwarded ?? failure.bytes(to: query, limit: limit)
            }
            if case .alias(let target)? = answer.records.first?.data, query.type != .cname {
                return await follow(target, answer, query, limit)
            }
            return answer.rotated.bytes(to: query, limit: limit)
        }
    }

    private var failure: DNSAnswer { DNSAnswer(code: .serverFailure, isAuthoritative: false) }

    /// Resolvers of containers do not follow aliases themselves, so the target's records go along.
    private func follow(_ target: DNSName, _ answer: DNSAnswer, _ query: DNSQuery, _ limit: Int) async -> [UInt8] {
        var answer = answer
        if let inside = zone().answer(target, query.type) {
            // One step is enough: an alias to an alias is for the client to ask again.
            answer.records += inside.records
            return answer.bytes(to: query, limit: limit)
        }
        let question = target.bytes + DNSRecord.big(query.type.number) + DNSRecord.big(UInt16(1))
        let request = DNSRecord.big(query.id) + [1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + question
        guard let reply = await askWhole(request),
            let records = DNSReply.answers(reply, for: target)
        else {
            return failure.bytes(to: query, limit: limit)
        }
        return DNSReply.joined(answer, records, to: query, limit: limit)
    }

    /// Asks by datagram, as all name servers expect it; by stream where the answer was cut.
    private func askWhole(_ request: [UInt8]) async -> [UInt8]? {
        let reply = await upstream.ask(request, isStream: false)
        if let reply, reply.count > 2, reply[2] & 0x02 == 0 { return reply }
        return await upstream.ask(request, isStream: true) ?? reply
    }
}

extension DNSAnswer {
    /// The same records from another start, so that clients that take the first spread over all.
    var rotated: DNSAnswer {
        guard records.count > 1 else { return self }
        var answer = self
        let start = Int.random(in: 0..<records.count)
        answer.records = Array(records[start...] + records[..<start])
        return answer
    }
}

/// Name servers outside of the cluster.
protocol DNSUpstream: Sendable {
    /// The answer to the message, as it came; `nil` when there is none in time.
    func ask(_ message: [UInt8], isStream: Bool) async -> [UInt8]?
}
