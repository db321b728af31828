// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// One request to the Kubernetes API, freed of its transport.
package struct APIRequest: Sendable {
    /// Upper case: `GET`, `POST`, `PUT`, `PATCH`, `DELETE`, `HEAD`, `OPTIONS`.
    package var method: String
    /// Percent-decoded, without query: `/api/v1/namespaces/shop/pods`.
    package var path: String
    /// Percent-decoded, in order of occurrence.
    package var query: [(name: String, value: String)]
    /// The `Accept` header's text; empty where there was none.
    package var accept: String
    /// Whether the client can read gzip: its `Accept-Encoding`.
    package var takesGzip: Bool
    /// The `Content-Type` header's text; empty where there was none.
    package var contentType: String
    package var userAgent: String
    package var body: [UInt8]
    /// Whose certificate the connection showed; `nil` for a caller without one.
    package var user: APIUser?
    /// The `Authorization` header's token.
    package var bearer: String?
    /// Whom the caller wants to act as, from the `Impersonate-…` headers.
    package var impersonation: Impersonation?
    /// The `Upgrade` header's text: what the connection is to become; empty where it is to stay what it is.
    package var upgrade: String

    package init(
        method: String,
        path: String,
        query: [(name: String, value: String)] = [],
        accept: String = "application/json",
        takesGzip: Bool = false,
        contentType: String = "application/json",
        userAgent: String = "",
        body: [UInt8] = [],
        user: APIUser? = nil,
        bearer: String? = nil,
        impersonation: Impersonation? = nil,
        upgrade: String = ""
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.accept = accept
        self.takesGzip = takesGzip
        self.contentType = contentType
        self.userAgent = userAgent
        self.body = body
        self.user = user
        self.bearer = bearer
        self.impersonation = impersonation
        self.upgrade = upgrade
    }
}

/// Who asks: from a client certificate, the common name and the organisations.
package struct APIUser: Sendable, Hashable {
    package var name: String
    package var groups: [String]
    package var uid: String?
    /// What else is known, such as the pod that a token was given to.
    package var extra: [String: [String]]

    package init(name: String, groups: [String], uid: String? = nil, extra: [String: [String]] = [:]) {
        self.name = name
        self.groups = groups
        self.uid = uid
        self.extra = extra
    }
}

/// Whom a caller wants to act as.
package struct Impersonation: Sendable, Hashable {
    package var name = ""
    package var groups: [String] = []
    package var uid = ""
    package var extra: [String: [String]] = [:]

    package init() {}
}

/// The answer to an ``APIRequest``.
package struct APIResponse: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// Chunks to be sent as they come: watches and logs. Ending the iteration releases what stands behind them.
        case stream(AsyncThrowingStream<[UInt8], any Error>)
    }

    package var status: Int
    package var contentType: String
    /// Texts for `Warning` headers (`299 - "…"`, RFC 7234), unquoted.
    package var warnings: [String]
    /// Further headers, such as `Retry-After` or `ETag`.
    package var headers: [(name: String, value: String)]
    package var body: Body

    package init(
        status: Int,
        contentType: String = "application/json",
        warnings: [String] = [],
        headers: [(name: String, value: String)] = [],
        body: Body
    ) {
        self.status = status
        self.contentType = contentType
        self.warnings = warnings
        self.headers = headers
        self.body = body
    }
}
