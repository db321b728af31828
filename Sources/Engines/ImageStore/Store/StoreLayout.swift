// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Where everything lies; docs/formats/image-store.md describes it.
struct StoreLayout: Sendable {
    let folder: String

    var blobs: String { "\(folder)/blobs/sha256" }
    var uploads: String { "\(folder)/uploads" }
    var repositories: String { "\(folder)/repositories" }

    func blob(_ digest: Digest) -> String { "\(blobs)/\(digest.hex)" }

    // Names in a repository start with '_', which no component of a repository's name does.
    func repository(_ name: RepositoryName) -> String { "\(repositories)/\(name)" }
    func layers(_ name: RepositoryName) -> String { "\(repository(name))/_layers" }
    func manifests(_ name: RepositoryName) -> String { "\(repository(name))/_manifests" }
    func tags(_ name: RepositoryName) -> String { "\(repository(name))/_tags" }
    func referrers(_ name: RepositoryName, of subject: Digest) -> String {
        "\(repository(name))/_referrers/\(subject.hex)"
    }

    func layer(_ digest: Digest, in name: RepositoryName) -> String { "\(layers(name))/\(digest.hex)" }
    func manifest(_ digest: Digest, in name: RepositoryName) -> String { "\(manifests(name))/\(digest.hex)" }
    func tag(_ tag: String, in name: RepositoryName) -> String { "\(tags(name))/\(tag)" }

    func uploadData(_ id: UploadID) -> String { "\(uploads)/\(id)" }
    func uploadRepository(_ id: UploadID) -> String { "\(uploads)/\(id).repository" }
}

/// Names one upload in progress: 32 hex digits that cannot be guessed.
package struct UploadID: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// `nil` for what this store never gave out; so an id is always a safe file name.
    package init?(_ text: String) {
        guard text.utf8.count == 32,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        description = text
    }

    private init(unchecked text: String) { description = text }

    static func random() -> UploadID { UploadID(unchecked: Folder.uniqueName()) }
}
