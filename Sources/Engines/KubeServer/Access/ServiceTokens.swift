// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Synchronization

/// Why a token is not accepted; clients hear of it only in a review.
struct TokenProblem: Error {
    var text: String
    static let invalid = TokenProblem(text: "invalid bearer token")
}

/// Issues and checks the tokens with which service accounts, and whoever is listed by token, speak.
struct ServiceTokens: Sendable {
    /// What a token may be bound to, beside its account.
    struct Bound: Sendable {
        var member: String
        var name: String
        var uid: String
    }

    let log: ObjectLog
    let clock: WallClock
    let issuer: String
    let audiences: [String]
    let listed: [String: APIUser]
    let signer: (any TokenSigner)?
    private let verified = VerifiedTokens()

    init(
        log: ObjectLog,
        clock: WallClock,
        issuer: String,
        listed: [String: APIUser],
        signer: (any TokenSigner)?
    ) {
        self.log = log
        self.clock = clock
        self.issuer = issuer
        audiences = [issuer]
        self.listed = listed
        self.signer = signer
    }

    /// Clocks differ, and what was just deleted may say goodbye.
    private static let leeway = Duration.seconds(60)

    /// The token's user, and for which of the wanted audiences it is good (`nil`: this server's).
    func user(of token: String, audiences wanted: [String]?) throws(TokenProblem) -> (
        user: APIUser, audiences: [String]
    ) {
        let wanted = wanted.flatMap { $0.isEmpty ? nil : $0 } ?? audiences
        if let user = listed[token] { return (user.everyone, audiences.filter { wanted.contains($0) }) }
        guard let signer, let claims = try verified.claims(of: token, from: issuer, signer) else { throw .invalid }
        let given = claims["aud"]?.array?.compactMap(\.string) ?? claims["aud"]?.string.map { [$0] } ?? []
        let common = given.filter { wanted.contains($0) }
        guard !common.isEmpty else {
            func list(_ texts: [String]) -> String { JSON.array(texts.map { .string($0) }).text }
            throw TokenProblem(
                text: "token audiences \(list(given)) is invalid for the target audiences \(list(wanted))"
            )
        }
        try checkTimes(claims)
        return (try checkObjects(claims).everyone, common)
    }

    private func checkTimes(_ claims: JSON) throws(TokenProblem) {
        let now = clock.now
        func moment(_ claim: String) -> Timestamp? { claims[claim]?.int.map { Timestamp(seconds: Int64($0)) } }
        guard let end = moment("exp"), end + Self.leeway >= now else {
            throw TokenProblem(text: "service account token has expired")
        }
        if let start = moment("nbf"), start - Self.leeway > now {
            throw TokenProblem(text: "service account token is not valid yet")
        }
        if let issued = moment("iat"), issued - Self.leeway > now {
            throw TokenProblem(text: "service account token is issued in the future")
        }
    }

    /// The account, and what the token is bound to, must be there still and be the same.
    private func checkObjects(_ claims: JSON) throws(TokenProblem) -> APIUser {
        let own = claims["kubernetes.io"] ?? [:]
        let namespace = own["namespace"]?.string ?? ""
        let name = own[path: "serviceaccount", "name"]?.string ?? ""
        let uid = own[path: "serviceaccount", "uid"]?.string ?? ""
        guard claims["sub"]?.string == "system:serviceaccount:\(namespace):\(name)",
            let account = stored(
                "serviceaccounts",
                namespace,
                name
            )
        else { throw TokenProblem(text: "serviceaccounts \"\(name)\" not found") }
        guard account.uid == uid else {
            throw TokenProblem(text: "service account UID (\(account.uid)) does not match claim (\(uid))")
        }
        guard !account.isGone else {
            throw TokenProblem(text: "service account \(namespace)/\(name) has been deleted")
        }
        let kinds = [
            ("secret", "secrets", namespace), ("pod", "pods", namespace),
            ("node", "nodes", own["pod"] == nil ? "" : nil as String?),
        ]
        for (member, plural, place) in kinds {
            guard let claim = own[member], let place else { continue }
            try checkBound(claim, member, stored(plural, place, claim["name"]?.string ?? ""))
        }
        return user(own, namespace, name, uid, claims["jti"]?.string)
    }

    private func checkBound(_ claim: JSON, _ member: String, _ object: Found?) throws(TokenProblem) {
        guard let object, !object.isGone else { throw TokenProblem(text: "service account token has been invalidated") }
        let uid = claim["uid"]?.string ?? ""
        guard object.uid == uid else {
            throw TokenProblem(
                text: "\(member) UID (\(object.uid)) does not match service account \(member) ref claim (\(uid))"
            )
        }
    }

    private func user(_ own: JSON, _ namespace: String, _ name: String, _ uid: String, _ id: String?) -> APIUser {
        var extra: [String: [String]] = [:]
        func add(_ key: String, _ value: String?) {
            if let value, !value.isEmpty { extra["authentication.kubernetes.io/\(key)"] = [value] }
        }
        if let pod = own["pod"] {
            add("pod-name", pod["name"]?.string)
            add("pod-uid", pod["uid"]?.string)
        }
        if let node = own["node"] {
            add("node-name", node["name"]?.string)
            add("node-uid", node["uid"]?.string)
        }
        add("credential-id", id.map { "JTI=\($0)" })
        return APIUser(
            name: "system:serviceaccount:\(namespace):\(name)",
            groups: ["system:serviceaccounts", "system:serviceaccounts:\(namespace)"],
            uid: uid,
            extra: extra
        )
    }

    private struct Found {
        var uid: String
        var isGone: Bool
    }

    private func stored(_ plural: String, _ namespace: String, _ name: String) -> Found? {
        let key = "/registry/\(plural)/" + (namespace.isEmpty ? name : "\(namespace)/\(name)")
        guard let stored = try? log.get(key), let object = try? StoredJSON.parse(stored.value, as: nil) else {
            return nil
        }
        let deleted = object[path: "metadata", "deletionTimestamp"]?.string.flatMap { Timestamp($0) }
        return Found(
            uid: object[path: "metadata", "uid"]?.string ?? "",
            isGone: deleted.map { $0 + Self.leeway < clock.now } ?? false
        )
    }
}

/// Tokens whose signature has been checked, which takes longer than all the rest.
private final class VerifiedTokens: Sendable {
    private static let capacity = 1024
    private let known = Mutex<[String: JSON]>([:])

    /// `nil` for what is no token of that issuer.
    func claims(of text: String, from issuer: String, _ signer: any TokenSigner) throws(TokenProblem) -> JSON? {
        if let claims = known.withLock({ $0[text] }) { return claims }
        guard text.utf8.count <= 16 << 10, let token = WebToken(text), token.claims["iss"]?.string == issuer else {
            return nil
        }
        guard token.head["alg"]?.string == signer.algorithm,
            signer.accepts(token.signature, of: token.message, keyID: token.head["kid"]?.string)
        else { throw TokenProblem(text: "invalid signature, no keys found") }
        known.withLock { known in
            if known.count >= Self.capacity { known.removeAll() }
            known[text] = token.claims
        }
        return token.claims
    }
}
