// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What a path of the registry's API names. A repository's name has slashes, so paths are read from their end.
enum RegistryRoute: Equatable {
    case version
    case catalog
    case tags(repository: String)
    case manifest(repository: String, reference: String)
    case blob(repository: String, digest: String)
    case uploads(repository: String)
    case upload(repository: String, id: String)
    case referrers(repository: String, digest: String)

    init?(path: String) {
        guard path != "/v2", path != "/v2/" else {
            self = .version
            return
        }
        guard path.hasPrefix("/v2/") else { return nil }
        let parts = path.dropFirst(4).split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        func name(without count: Int) -> String { parts.dropLast(count).joined(separator: "/") }
        switch (parts.dropLast(2).last, parts.dropLast().last, parts.last ?? "") {
        case (nil, nil, "_catalog"): self = .catalog
        case ("blobs", "uploads", ""): self = .uploads(repository: name(without: 3))
        case ("blobs", "uploads", let id): self = .upload(repository: name(without: 3), id: id)
        case (_, "blobs", "uploads"): self = .uploads(repository: name(without: 2))
        case (_, "blobs", let digest): self = .blob(repository: name(without: 2), digest: digest)
        case (_, "manifests", let reference): self = .manifest(repository: name(without: 2), reference: reference)
        case (_, "tags", "list"): self = .tags(repository: name(without: 2))
        case (_, "referrers", let digest): self = .referrers(repository: name(without: 2), digest: digest)
        default: return nil
        }
    }
}
