// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
import Ports

/// What a run of the collector removed.
package struct CollectionReport: Sendable, Hashable {
    package var blobs = 0
    package var bytes = 0
}

extension RegistryStore {
    /// Removes blobs that no manifest of their repository names and nobody has used since `moment`, and the bytes that no
    /// repository links to any more.
    ///
    /// Every answer that tells a client that a blob is here renews its time, so a push that is under way keeps its blobs as
    /// long as `moment` lies further back than the push takes.
    package func collect(unusedSince moment: Timestamp) throws -> CollectionReport {
        var linked: Set<String> = []
        for repository in try repositoriesOnDisk() {
            let needed = try neededBlobs(of: repository)
            for hex in try Folder.namesIfPresent(in: layout.layers(repository)) {
                let link = "\(layout.layers(repository))/\(hex)"
                if !needed.contains(hex), try isUnused(link, since: moment) {
                    try Folder.remove(link)
                } else {
                    linked.insert(hex)
                }
            }
            linked.formUnion(try Folder.namesIfPresent(in: layout.manifests(repository)))
        }
        var report = CollectionReport()
        for hex in try Folder.names(in: layout.blobs) where !linked.contains(hex) {
            let path = "\(layout.blobs)/\(hex)"
            guard try isUnused(path, since: moment) else { continue }
            report.bytes += try FileStatus(of: path).size
            report.blobs += 1
            try Folder.remove(path)
        }
        return report
    }

    private func isUnused(_ path: String, since moment: Timestamp) throws -> Bool {
        try FileStatus(of: path).modified < moment.nanoseconds
    }

    private func neededBlobs(of repository: RepositoryName) throws -> Set<String> {
        var needed: Set<String> = []
        for hex in try Folder.namesIfPresent(in: layout.manifests(repository)) {
            guard let digest = Digest(hex: hex) else { continue }
            // A manifest that cannot be read keeps everything: better too much on disk than a broken image.
            let manifest = try manifest(.digest(digest), in: repository)
            let document = try ManifestDocument(parsing: manifest.bytes, contentType: manifest.mediaType)
            needed.formUnion(document.blobs.map(\.digest.hex))
        }
        return needed
    }

    /// All repositories, also those without a manifest; a name below a repository may be a repository too.
    func repositoriesOnDisk() throws -> [RepositoryName] {
        var found: [RepositoryName] = []
        var pending = try Folder.names(in: layout.repositories)
        while let text = pending.popLast() {
            guard let name = try? RepositoryName(text) else { continue }
            found.append(name)
            pending += try Folder.namesIfPresent(in: layout.repository(name))
                .filter { !$0.hasPrefix("_") }.map { "\(text)/\($0)" }
        }
        return found
    }
}
