// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The SHA-256 digest of some content, written `sha256:<64 hex digits>`.
package struct Digest: Sendable, Hashable, CustomStringConvertible {
    /// The 64 lower-case hex digits.
    package let hex: String

    /// Reads `sha256:…`; `nil` for any other algorithm or a malformed text.
    package init?(_ text: String) {
        guard text.hasPrefix("sha256:") else { return nil }
        self.init(hex: String(text.dropFirst(7)))
    }

    /// `hex` must be 64 lower-case hex digits.
    package init?(hex: String) {
        let isHex = hex.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        guard hex.utf8.count == 64, isHex else { return nil }
        self.hex = hex
    }

    package var description: String { "sha256:\(hex)" }
}

/// The name of an image: registry, repository, and a tag or a digest or both.
///
/// `nginx` means `docker.io/library/nginx:latest`, as every client reads it.
package struct ImageReference: Sendable, Hashable, CustomStringConvertible {
    /// Host and optional port.
    package var registry: String
    package var repository: String
    package var tag: String?
    package var digest: Digest?

    package init(registry: String, repository: String, tag: String? = nil, digest: Digest? = nil) {
        self.registry = registry
        self.repository = repository
        self.tag = tag
        self.digest = digest
    }

    /// Reads a reference; `nil` where the text is none.
    package init?(_ text: String) {
        var rest = Substring(text)
        var digest: Digest?
        if let at = rest.firstIndex(of: "@") {
            guard let found = Digest(String(rest[rest.index(after: at)...])) else { return nil }
            digest = found
            rest = rest[..<at]
        }
        var tag: String?
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            tag = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
        }
        var registry = "docker.io"
        if let slash = rest.firstIndex(of: "/") {
            let head = rest[..<slash]
            if head.contains(".") || head.contains(":") || head == "localhost" {
                registry = String(head)
                rest = rest[rest.index(after: slash)...]
            }
        }
        var repository = String(rest)
        if registry == "docker.io", !repository.contains("/") { repository = "library/\(repository)" }
        guard Self.isRepository(repository), tag.map(Self.isTag) ?? true else { return nil }
        self.init(registry: registry, repository: repository, tag: tag, digest: digest)
    }

    /// What to ask the registry for: the digest if there is one, else the tag, else `latest`.
    package var selector: String { digest?.description ?? tag ?? "latest" }

    package var description: String {
        let name = "\(registry)/\(repository)"
        return name + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
    }

    /// Lower-case components of letters and digits, joined inside by `.`, `_`, `__` or dashes (OCI distribution, "pull").
    package static func isRepository(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= 255 else { return false }
        return name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(isComponent)
    }

    private static func isComponent(_ component: Substring) -> Bool {
        func isAlphanumeric(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) }
        let bytes = Array(component.utf8)
        guard let first = bytes.first, let last = bytes.last, isAlphanumeric(first), isAlphanumeric(last) else {
            return false
        }
        let separators = component.split { isAlphanumeric($0.utf8.first ?? 0) && $0.isASCII }
        return separators.allSatisfy { $0 == "." || $0 == "_" || $0 == "__" || $0.allSatisfy { $0 == "-" } }
    }

    package static func isTag(_ tag: String) -> Bool {
        let bytes = Array(tag.utf8)
        func isWord(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || byte == 0x5F
        }
        guard let first = bytes.first, bytes.count <= 128, isWord(first) else { return false }
        return bytes.allSatisfy { isWord($0) || $0 == 0x2E || $0 == 0x2D }
    }
}
