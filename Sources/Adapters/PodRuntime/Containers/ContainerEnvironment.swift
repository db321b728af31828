// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A container's environment variables, and the expansion of `$(NAME)` by them.
struct ContainerEnvironment: Sendable, Equatable {
    private(set) var names: [String] = []
    private(set) var values: [String: String] = [:]

    /// Sets a variable; one that is there keeps its place.
    mutating func set(_ name: String, _ value: String) {
        if values.updateValue(value, forKey: name) == nil { names.append(name) }
    }

    subscript(_ name: String) -> String? { values[name] }

    /// `NAME=value`, in order.
    var list: [String] { names.map { "\($0)=\(values[$0] ?? "")" } }

    /// Replaces `$(NAME)` by the variable's value; `$$` stands for `$`, an unknown name stays as it is.
    func expand(_ text: String) -> String { Self.expand(text, by: { values[$0] }) }

    static func expand(_ text: String, by value: (String) -> String?) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        var output = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            output += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                output += "$"
                rest = rest.dropFirst()
            } else if rest.first == "(", let end = rest.firstIndex(of: ")") {
                let name = String(rest[rest.index(after: rest.startIndex)..<end])
                output += value(name) ?? "$(\(name))"
                rest = rest[rest.index(after: end)...]
            } else {
                output += "$"
            }
        }
        return output + rest
    }
}
