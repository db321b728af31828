// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

public import FlyingFox
public import FoundationEssentials

/// One request, read whole.
public struct Request: Sendable {
    public let method: String
    /// Percent-encoded, without the query.
    public let path: String
    public let query: [String: String]
    public let headers: HTTPHeaders
    public let body: Data
    /// From the `{name}` parts of the route, decoded.
    public internal(set) var parameters: [String: String] = [:]

    /// The fields that tie this request's log lines to those of the services it calls.
    public var traceHeaders: [(name: String, value: String)] {
        ["X-Request-Id", "Traceparent", "Tracestate"].compactMap { name in
            headers[HTTPHeader(name)].map { (name, $0) }
        }
    }
}

/// An answer other than success, with a reason for the caller.
public struct HTTPProblem: Error, CustomStringConvertible {
    public let status: HTTPStatusCode
    public let message: String
    public var description: String { message }

    public init(_ status: HTTPStatusCode, _ message: String) {
        self.status = status
        self.message = message
    }
}

/// Answers requests of one method and path; `{name}` in the path takes one segment.
public struct Route: Sendable {
    public typealias Handler = @Sendable (Request) async throws -> HTTPResponse

    public let method: String
    public let template: String
    let segments: [Substring]
    let handler: Handler

    public init(_ method: String, _ template: String, handler: @escaping Handler) {
        self.method = method
        self.template = template
        segments = template.split(separator: "/", omittingEmptySubsequences: false)
        self.handler = handler
    }

    /// The parameters, if the path fits.
    func match(_ path: String) -> [String: String]? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == segments.count else { return nil }
        var parameters: [String: String] = [:]
        for (segment, part) in zip(segments, parts) {
            if segment.hasPrefix("{") {
                guard let value = PercentCoding.decoded(part), !value.isEmpty else { return nil }
                parameters[String(segment.dropFirst().dropLast())] = value
            } else if segment != part {
                return nil
            }
        }
        return parameters
    }
}

/// Finds the route of a request.
struct Router: Sendable {
    enum Found {
        case route(Route, parameters: [String: String])
        case otherMethods([String], template: String)
        case nothing
    }

    let routes: [Route]

    /// HEAD is answered wherever GET is.
    func find(_ method: String, _ path: String) -> Found {
        let wanted = method == "HEAD" ? "GET" : method
        var others: [Route] = []
        for route in routes {
            guard let parameters = route.match(path) else { continue }
            if route.method == wanted { return .route(route, parameters: parameters) }
            others.append(route)
        }
        guard let first = others.first else { return .nothing }
        return .otherMethods(others.map(\.method), template: first.template)
    }
}

/// `%41` and, in forms, `+`.
public enum PercentCoding {
    /// Nil when an escape is cut off or the bytes are no UTF-8.
    public static func decoded(_ text: some StringProtocol, plusIsBlank: Bool = false) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard rest.count >= 2 else { return nil }
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.allSatisfy(\.isHexDigit), let value = UInt8(digits, radix: 16) else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") && plusIsBlank ? UInt8(ascii: " ") : byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// For one path segment: all but letters, digits and `-._~` is escaped.
    public static func encoded(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            if byte < 0x80,
                scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "-._~".unicodeScalars.contains(scalar)
            {
                out.unicodeScalars.append(scalar)
            } else {
                out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return out
    }

    /// `a=1&b=two+words`; a later pair wins.
    public static func form(_ text: some StringProtocol) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(parts[0], plusIsBlank: true) else { continue }
            fields[name] = parts.count > 1 ? decoded(parts[1], plusIsBlank: true) : ""
        }
        return fields
    }
}
