// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import NIOHTTP1

/// The header `Warning` as Kubernetes writes it: `299 - "text"`, several separated by commas, quotes escaped.
enum WarningHeader {
    static func texts(_ headers: HTTPHeaders) -> [String] {
        headers[canonicalForm: "Warning"].isEmpty ? [] : headers["Warning"].flatMap { parse($0) }
    }

    static func parse(_ value: String) -> [String] {
        var texts: [String] = []
        var rest = value[...]
        while let quote = rest.firstIndex(of: "\"") {
            let isOurs = rest[..<quote].split(whereSeparator: { $0 == " " || $0 == "," }).first == "299"
            rest = rest[rest.index(after: quote)...]
            let text = quoted(&rest)
            if isOurs, !text.isEmpty { texts.append(text) }
            // A date in quotes may follow; the next warning begins after a comma.
            rest = rest.firstIndex(of: ",").map { rest[$0...] } ?? rest[rest.endIndex...]
        }
        return texts
    }

    private static func quoted(_ rest: inout Substring) -> String {
        var text = ""
        while let character = rest.popFirst(), character != "\"" {
            guard character == "\\", let escaped = rest.popFirst() else {
                text.append(character)
                continue
            }
            text.append(escaped)
        }
        return text
    }
}
