// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

public import FlyingFox
import FoundationEssentials

extension HTTPResponse {
    /// Keys are sorted, so the same value is always the same bytes.
    public static func json(_ value: some Encodable, status: HTTPStatusCode = .ok) throws -> HTTPResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return json(text: String(decoding: try encoder.encode(value), as: UTF8.self) + "\n", status: status)
    }

    static func json(text: String, status: HTTPStatusCode = .ok) -> HTTPResponse {
        HTTPResponse(statusCode: status, headers: [.contentType: "application/json"], body: Data(text.utf8))
    }

    public static func problem(_ status: HTTPStatusCode, _ message: String) -> HTTPResponse {
        json(text: "{\"error\":\(JSONText(message).text)}\n", status: status)
    }

    public static func plain(_ text: String, status: HTTPStatusCode = .ok) -> HTTPResponse {
        HTTPResponse(statusCode: status, headers: [.contentType: "text/plain; charset=utf-8"], body: Data(text.utf8))
    }

    public static func html(_ text: String, status: HTTPStatusCode = .ok) -> HTTPResponse {
        HTTPResponse(statusCode: status, headers: [.contentType: "text/html; charset=utf-8"], body: Data(text.utf8))
    }
}
