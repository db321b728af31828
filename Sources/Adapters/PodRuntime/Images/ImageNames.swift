// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What the names of images meant when they were last pulled; kept in one file.
struct ImageNames {
    struct Entry {
        /// The digest the name resolved to.
        var digest: Digest
        /// The manifest for this machine; the same where the name led to no index.
        var manifest: Digest
        /// Who has shown to the registry that they may pull it: fingerprints of credentials, `""` for anybody.
        var fingerprints: Set<String>
    }

    private(set) var entries: [String: Entry] = [:]
    private let path: String

    /// An unreadable file counts as empty: images are pulled again then.
    init(path: String) {
        self.path = path
        guard let bytes = FileText.content(path), let json = try? JSON(parsing: bytes) else { return }
        for (name, value) in json.object ?? [:] {
            guard let digest = value["digest"]?.string.flatMap({ Digest($0) }),
                let manifest = value["manifest"]?.string.flatMap({ Digest($0) })
            else { continue }
            let fingerprints = Set(value["pulledBy"]?.array?.compactMap(\.string) ?? [])
            entries[name] = Entry(digest: digest, manifest: manifest, fingerprints: fingerprints)
        }
    }

    mutating func record(_ name: String, _ entry: Entry) throws {
        entries[name] = entry
        try save()
    }

    mutating func keepOnly(_ isKept: (String, Entry) -> Bool) throws {
        entries = entries.filter { isKept($0.key, $0.value) }
        try save()
    }

    private func save() throws {
        let members = entries.sorted { $0.key < $1.key }.map { name, entry -> (String, JSON) in
            let pulledBy = JSON.array(entry.fingerprints.sorted().map { .string($0) })
            return (name, ["digest": "\(entry.digest)", "manifest": "\(entry.manifest)", "pulledBy": pulledBy])
        }
        try FileText.replace(path, with: JSON.object(JSONObject(members)).bytes)
    }
}
