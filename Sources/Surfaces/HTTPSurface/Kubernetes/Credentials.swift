// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import HTTPTypes
import KubeServer
import Model

/// What a request's headers say about who sends it.
enum Credentials {
    /// The token behind `Authorization: Bearer`; `nil` where there is none.
    static func bearer(_ headers: HTTPFields) -> String? {
        guard let text = headers[.authorization] else { return subprotocolBearer(headers) }
        let parts = text.trimmed.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].lowercased() == "bearer", !parts[1].isEmpty else { return nil }
        return String(parts[1])
    }

    /// The subprotocols that a WebSocket client offers.
    static func subprotocols(_ headers: HTTPFields) -> [String] {
        guard let name = HTTPField.Name("Sec-WebSocket-Protocol") else { return [] }
        return headers[values: name].flatMap { $0.split(separator: ",") }.map { String(String($0).trimmed) }
            .filter { !$0.isEmpty }
    }

    /// Browsers let a page set no header but the subprotocols, so that a token may hide in one.
    static let bearerSubprotocol = "base64url.bearer.authorization.k8s.io."

    private static func subprotocolBearer(_ headers: HTTPFields) -> String? {
        guard headers[.upgrade]?.lowercased() == "websocket",
            let text = subprotocols(headers).first(where: { $0.hasPrefix(bearerSubprotocol) })
        else { return nil }
        var base64 = text.dropFirst(bearerSubprotocol.count).replacing("-", with: "+").replacing("_", with: "/")
        base64 += String(repeating: "=", count: (4 - base64.count % 4) % 4)
        return Base64.decode(String(base64)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// `nil` where nobody is to be impersonated: an empty name or UID says no more than none.
    static func impersonation(_ headers: HTTPFields) -> Impersonation? {
        var wanted = Impersonation()
        let extra = "impersonate-extra-"
        for field in headers where field.name.canonicalName.hasPrefix("impersonate-") {
            switch field.name.canonicalName {
            case "impersonate-user": if wanted.name.isEmpty { wanted.name = field.value }
            case "impersonate-group": wanted.groups.append(field.value)
            case "impersonate-uid": if wanted.uid.isEmpty { wanted.uid = field.value }
            case let name where name.hasPrefix(extra):
                wanted.extra[QueryText.decoded(String(name.dropFirst(extra.count))), default: []].append(field.value)
            default: continue
            }
        }
        return wanted == Impersonation() ? nil : wanted
    }
}

extension String {
    fileprivate var trimmed: Substring { drop { $0 == " " }.trimmingEnd }
}

extension Substring {
    fileprivate var trimmingEnd: Substring {
        var rest = self
        while rest.last == " " { rest.removeLast() }
        return rest
    }
}
