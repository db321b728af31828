// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// One request to the registry's API, freed of its transport.
package struct RegistryRequest: Sendable {
    /// A request's body, piece by piece.
    package typealias Body = any AsyncSequence<[UInt8], any Error> & Sendable

    /// Upper case.
    package var method: String
    /// Percent-decoded, without query: `/v2/shop/cart/tags/list`.
    package var path: String
    /// Percent-decoded, in order of occurrence.
    package var query: [(name: String, value: String)]
    /// By lower-case name.
    package var headers: [String: String]
    package var body: Body

    package init(
        method: String,
        path: String,
        query: [(name: String, value: String)] = [],
        headers: [String: String] = [:],
        body: Body
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }
}

/// The answer to a ``RegistryRequest``. The transport leaves the body out for `HEAD`, but sends its length.
package struct RegistryResponse: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        case blob(StoredBlob, Range<Int>)
    }

    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: Body

    init(_ status: Int, _ headers: [(name: String, value: String)] = [], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package var contentLength: Int {
        switch body {
        case .bytes(let bytes): bytes.count
        case .blob(_, let range): range.count
        }
    }

    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}
