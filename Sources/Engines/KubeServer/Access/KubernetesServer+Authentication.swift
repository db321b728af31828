// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension KubernetesServer {
    /// Who sends the request: by certificate, then by token. Without either it is anonymous; a wrong token is refused.
    func authenticated(_ request: APIRequest) throws(KubeStatus) -> APIUser {
        if let user = request.user { return user.everyone }
        guard let token = request.bearer else {
            return APIUser(name: "system:anonymous", groups: ["system:unauthenticated"])
        }
        do throws(TokenProblem) {
            return try tokens.user(of: token, audiences: nil).user
        } catch {
            throw .unauthorized
        }
    }

    /// Acting as somebody else takes the verb `impersonate` on the user and on everything else that is claimed.
    func checkImpersonation(
        of wanted: Impersonation,
        by user: APIUser,
        for asked: AccessRequest
    ) throws(KubeStatus) {
        guard !wanted.name.isEmpty else {
            throw .badRequest("requested \(wanted.goText) without impersonating a user name")
        }
        guard !user.isMaster else { return }
        let policy = try access.policy()
        guard wanted.claims.allSatisfy({ policy.decide($0, by: user).isAllowed }) else {
            // The real server names the first of the ways it has tried, not this last one.
            var shown = asked
            shown.verb = "impersonate-on:\(wanted.mode):\(asked.verb)"
            throw shown.refusal(of: user)
        }
    }
}

extension APIUser {
    /// With the group that all have who said who they are, in the last place.
    var everyone: APIUser {
        guard name != "system:anonymous", !groups.contains("system:authenticated"),
            !groups.contains("system:unauthenticated")
        else { return self }
        var user = self
        user.groups.append("system:authenticated")
        return user
    }

    /// As reviews and tokens' answers show it.
    var json: JSON {
        var object: JSONObject = [:]
        if !name.isEmpty { object["username"] = .string(name) }
        if let uid, !uid.isEmpty { object["uid"] = .string(uid) }
        if !groups.isEmpty { object["groups"] = .array(groups.map { .string($0) }) }
        if !extra.isEmpty {
            object["extra"] = .object(
                JSONObject(
                    extra.sorted { $0.key < $1.key }.map { ($0.key, .array($0.value.map { .string($0) })) }
                )
            )
        }
        return .object(object)
    }
}

extension Impersonation {
    private var account: (namespace: String, name: String)? {
        let prefix = "system:serviceaccount:"
        guard name.hasPrefix(prefix) else { return nil }
        let parts = name.dropFirst(prefix.count).split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        return (String(parts[0]), String(parts[1]))
    }

    /// As Go prints it with `%#v`.
    fileprivate var goText: String {
        func list(_ texts: [String]) -> String {
            "[]string{\(texts.map { FieldErrors.quoted($0) }.joined(separator: ", "))}"
        }
        let groupText = groups.isEmpty ? "[]string(nil)" : list(groups)
        let entries = extra.sorted { $0.key < $1.key }.map { "\(FieldErrors.quoted($0.key)):\(list($0.value))" }
        let extraText = "map[string][]string" + (extra.isEmpty ? "(nil)" : "{\(entries.joined(separator: ", "))}")
        return "&user.DefaultInfo{Name:\(FieldErrors.quoted(name)), UID:\(FieldErrors.quoted(uid)), "
            + "Groups:\(groupText), Extra:\(extraText)}"
    }

    /// What the real server calls this way of acting as somebody else.
    fileprivate var mode: String {
        let isPlain = groups.isEmpty && uid.isEmpty && extra.isEmpty
        if isPlain, account != nil { return "serviceaccount" }
        return isPlain && name.hasPrefix("system:node:") ? "arbitrary-node" : "user-info"
    }

    /// What one must be allowed to do.
    fileprivate var claims: [AccessRequest] {
        func claim(_ resource: String, _ name: String, group: String = "", namespace: String = "", sub: String = "")
            -> AccessRequest
        {
            AccessRequest(
                verb: "impersonate",
                namespace: namespace,
                group: group,
                resource: resource,
                sub: sub,
                name: name
            )
        }
        let own = "authentication.k8s.io"
        var all: [AccessRequest] = []
        if let account {
            all.append(claim("serviceaccounts", account.name, namespace: account.namespace))
        } else {
            all.append(claim("users", name))
        }
        if !uid.isEmpty { all.append(claim("uids", uid, group: own)) }
        all += groups.map { claim("groups", $0) }
        for (key, values) in extra.sorted(by: { $0.key < $1.key }) {
            all += values.map { claim("userextras", $0, group: own, sub: key) }
        }
        return all
    }

    var user: APIUser {
        var all = groups
        if let account, groups.isEmpty {
            all = ["system:serviceaccounts", "system:serviceaccounts:\(account.namespace)"]
        }
        let everyone = name == "system:anonymous" ? "system:unauthenticated" : "system:authenticated"
        if !all.contains("system:unauthenticated"), !all.contains(everyone) { all.append(everyone) }
        return APIUser(name: name, groups: all, uid: uid.isEmpty ? nil : uid, extra: extra)
    }
}
