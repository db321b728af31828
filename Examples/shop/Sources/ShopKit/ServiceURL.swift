// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Where another service is: `http://host[:port][/prefix]`.
public struct ServiceURL: Sendable, Hashable, CustomStringConvertible {
    public let host: String
    public let port: UInt16
    /// Empty, or with a slash in front and none behind.
    public let prefix: String

    public struct Invalid: Error, CustomStringConvertible {
        public let description: String
    }

    public init(_ text: String) throws(Invalid) {
        func invalid(_ why: String) -> Invalid { Invalid(description: "'\(text)' is no service address: \(why)") }
        guard text.lowercased().hasPrefix("http://") else { throw invalid("it must begin with http://") }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw invalid("it contains a blank or control character")
        }
        let rest = text.dropFirst("http://".count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let path = rest.dropFirst(authority.count)
        guard !path.contains(where: { $0 == "?" || $0 == "#" }) else {
            throw invalid("query and fragment are not allowed")
        }
        guard !authority.contains("@") else { throw invalid("user and password are not allowed") }

        var portText = Substring()
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { throw invalid("']' is missing") }
            host = String(authority[authority.index(after: authority.startIndex)..<bracket])
            portText = authority[authority.index(after: bracket)...]
        } else {
            host = String(authority.prefix { $0 != ":" })
            portText = authority.dropFirst(host.count)
        }
        guard !host.isEmpty else { throw invalid("the host is missing") }
        if portText.isEmpty {
            port = 80
        } else {
            guard portText.hasPrefix(":"), let number = UInt16(portText.dropFirst()), number > 0 else {
                throw invalid("the port is not a number from 1 to 65535")
            }
            port = number
        }
        prefix = String(path.reversed().drop { $0 == "/" }.reversed())
    }

    /// What goes into the Host field.
    public var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == 80 ? name : "\(name):\(port)"
    }

    public var description: String { "http://\(authority)\(prefix)" }
}
