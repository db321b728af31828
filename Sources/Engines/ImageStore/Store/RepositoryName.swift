// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// The name of a repository, proven to follow the specification's grammar; so it never leads out of the store's folder.
package struct RepositoryName: Sendable, Hashable, CustomStringConvertible {
    package let text: String
    package var description: String { text }

    package init(_ text: String) throws(RegistryError) {
        guard ImageReference.isRepository(text) else {
            throw RegistryError(.nameInvalid, "'\(text)' is no repository name; use lower-case words joined by '/'")
        }
        self.text = text
    }
}

/// How a request names a manifest.
package enum ManifestReference: Sendable, Hashable, CustomStringConvertible {
    case tag(String)
    case digest(Digest)

    /// Reads a path component; what has a colon must be a digest.
    package init(_ text: String) throws(RegistryError) {
        if text.contains(":") {
            self = .digest(try Digest(parsing: text))
        } else if ImageReference.isTag(text) {
            self = .tag(text)
        } else {
            throw RegistryError(.tagInvalid, "'\(text)' is no tag")
        }
    }

    package var description: String {
        switch self {
        case .tag(let tag): tag
        case .digest(let digest): digest.description
        }
    }
}

extension Digest {
    /// Reads a digest, or says that only SHA-256 is served.
    init(parsing text: String) throws(RegistryError) {
        guard let digest = Digest(text) else {
            throw RegistryError(.digestInvalid, "'\(text)' is no digest of the form sha256:<64 hex digits>")
        }
        self = digest
    }
}
