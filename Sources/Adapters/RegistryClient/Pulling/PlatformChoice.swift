// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Picks one image out of an index of several.
enum PlatformChoice {
    /// The digest of the image for `linux/<architecture>`: the plainest variant, since every machine of that architecture runs
    /// it. Throws `notFound` naming what there is.
    static func digest(in index: JSON, architecture: String, _ name: ImageReference) throws -> Digest {
        let entries = (index["manifests"]?.array ?? []).filter { $0["digest"]?.string.flatMap { Digest($0) } != nil }
        // An index of one image need not say what it is for.
        let isAlone = entries.count == 1 && entries[0]["platform"] == nil
        let fitting = isAlone ? entries : entries.filter { fits($0["platform"], architecture) }
        let best = fitting.min { rank($0, architecture) < rank($1, architecture) }
        guard let digest = best?["digest"]?.string.flatMap({ Digest($0) }) else {
            let known = entries.compactMap { $0["platform"].map(Self.words) }.filter { !$0.hasPrefix("unknown") }
            let list = known.isEmpty ? "nothing that says what it is for" : known.joined(separator: ", ")
            throw Failure(.notFound, "the image '\(name)' is not there for 'linux/\(architecture)'; it has \(list)")
        }
        return digest
    }

    private static func fits(_ platform: JSON?, _ architecture: String) -> Bool {
        platform?["os"]?.string == "linux" && platform?["architecture"]?.string == architecture
    }

    /// Lower is plainer.
    private static func rank(_ entry: JSON, _ architecture: String) -> Int {
        let platform = entry["platform"]
        let special =
            (platform?["os.version"] == nil ? 0 : 100) + (platform?["os.features"]?.array?.isEmpty == false ? 100 : 0)
        let variant = platform?["variant"]?.string ?? ""
        let usual = ["arm64": "v8", "amd64": "v1", "arm": "v7"][architecture]
        let number = Int(variant.drop { !$0.isNumber }.prefix { $0.isNumber }) ?? 50
        return special + (variant.isEmpty || variant == usual ? 0 : number + 1)
    }

    private static func words(_ platform: JSON) -> String {
        [platform["os"]?.string, platform["architecture"]?.string, platform["variant"]?.string]
            .compactMap(\.self).joined(separator: "/")
    }
}
