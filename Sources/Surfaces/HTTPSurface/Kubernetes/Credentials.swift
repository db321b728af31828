// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import HTTPTypes
import KubeServer

/// What a request's headers say about who sends it.
enum Credentials {
    /// The token behind `Authorization: Bearer`; `nil` where there is none.
    static func bearer(_ headers: HTTPFields) -> String? {
        guard let text = headers[.authorization] else { return nil }
        let parts = text.trimmed.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].lowercased() == "bearer", !parts[1].isEmpty else { return nil }
        return String(parts[1])
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
