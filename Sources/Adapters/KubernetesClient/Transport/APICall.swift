// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
import Foundation
import Model
import NIOCore
import NIOHTTP1

/// One request to an API server, before it is known over which connection and with which credentials it goes.
struct APICall: Sendable {
    var method: HTTPMethod
    /// As it goes over the wire, percent-encoded.
    var path: String
    var query: [(String, String)]
    var body: [UInt8]?
    var contentType: String
    var accept = "application/json"
    /// Whether the answer may come compressed; a stream must not, or its lines would wait for more.
    var takesGzip = true

    init(
        _ method: HTTPMethod,
        _ path: String,
        query: [(String, String)] = [],
        body: JSON? = nil,
        contentType: String = "application/json"
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.body = body.map { contentType.hasSuffix("+yaml") ? YAMLBody.bytes(of: $0) : $0.bytes }
        self.contentType = contentType
    }

    /// Whether a second one does no harm where the first may have arrived: reads, and server-side apply, which says what
    /// shall be and not what shall change.
    var isRepeatable: Bool { method == .GET || contentType == "application/apply-patch+yaml" }

    func url(on server: String) -> String {
        guard !query.isEmpty else { return server + path }
        let text = query.map { name, value in
            "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: Self.plain) ?? value)"
        }
        return "\(server)\(path)?\(text.joined(separator: "&"))"
    }

    private static let plain: CharacterSet = {
        var allowed = CharacterSet.urlQueryAllowed
        allowed.remove(charactersIn: "+&=;")
        return allowed
    }()
}

/// An answer that says success, whole.
struct APIAnswer: Sendable {
    var headers: HTTPHeaders
    var bytes: ByteBuffer

    func json(from server: String) throws -> JSON {
        do {
            return try JSON(parsing: bytes.readableBytesView)
        } catch {
            throw Failure(.fault, "'\(server)' answered something that is no JSON", cause: error)
        }
    }
}
