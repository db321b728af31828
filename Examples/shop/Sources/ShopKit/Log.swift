// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc

/// Writes one line of JSON per event to standard output.
public struct Log: Sendable {
    public enum Level: String, Sendable {
        case debug, info, warn, error
    }

    let app: String
    let version: String
    private let sink: @Sendable ([UInt8]) -> Void

    /// `sink` receives each line whole, its newline included.
    public init(app: String, version: String, sink: @escaping @Sendable ([UInt8]) -> Void = Self.standardOutput) {
        self.app = app
        self.version = version
        self.sink = sink
    }

    public func info(_ message: String, _ fields: KeyValuePairs<String, JSONText> = [:]) {
        write(.info, message, Array(fields))
    }

    public func warn(_ message: String, _ fields: KeyValuePairs<String, JSONText> = [:]) {
        write(.warn, message, Array(fields))
    }

    public func error(_ message: String, _ fields: KeyValuePairs<String, JSONText> = [:]) {
        write(.error, message, Array(fields))
    }

    func write(_ level: Level, _ message: String, _ fields: [(key: String, value: JSONText)]) {
        var line = "{\"time\":\"\(WallTime.now().description)\",\"level\":\"\(level.rawValue)\",\"msg\":"
        line += JSONText(message).text
        line += ",\"app\":\(JSONText(app).text),\"version\":\(JSONText(version).text)"
        for (key, value) in fields { line += ",\(JSONText(key).text):\(value.text)" }
        line += "}\n"
        sink(Array(line.utf8))
    }

    /// One `write` per line keeps lines whole, whichever thread they come from.
    public static let standardOutput: @Sendable ([UInt8]) -> Void = { line in
        var rest = line[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) }
            if count <= 0 && errno != EINTR { return }
        }
    }
}

/// A value that is already JSON.
public struct JSONText: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
    public let text: String

    public init(_ string: String) {
        var out = "\""
        for scalar in string.unicodeScalars { out.appendEscaped(scalar) }
        text = out + "\""
    }

    public init(_ number: Int) { text = String(number) }

    /// Keeps three digits after the point, which is all that a log needs.
    public init(_ number: Double) {
        text = number.isFinite ? "\((number * 1000).rounded() / 1000)" : "null"
    }

    public init(stringLiteral value: String) { self.init(value) }
    public init(integerLiteral value: Int) { self.init(value) }
    public init(booleanLiteral value: Bool) { text = value ? "true" : "false" }
}

extension String {
    fileprivate mutating func appendEscaped(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": self += "\\\""
        case "\\": self += "\\\\"
        case "\n": self += "\\n"
        case "\r": self += "\\r"
        case "\t": self += "\\t"
        case "\u{0}"..."\u{1F}", "\u{7F}", "\u{2028}", "\u{2029}":
            let hex = String(scalar.value, radix: 16)
            self += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        default: unicodeScalars.append(scalar)
        }
    }
}
