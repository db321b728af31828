// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// The images that objects of the cluster name, as tags or by digest.
struct NeededImages: Sendable, Equatable {
    private(set) var names: Set<String> = []
    private(set) var digests: Set<Digest> = []

    private static let kinds: [ResourceType] = [.pods, .replicaSets, .deployments, .jobs, .apps, .releases]
    private static let page = 500

    /// Reads all objects that may need an image. Throws where any of them cannot be read: what is not known to be
    /// unneeded must stay.
    static func read(_ api: any ClusterAPI) async throws -> NeededImages {
        var needed = NeededImages()
        for kind in kinds {
            var query = ListQuery(kind, limit: page)
            do {
                repeat {
                    let list = try await api.list(query)
                    for object in list.items { needed.note(object.json) }
                    query.continuation = list.continuation
                } while query.continuation != nil
            } catch let failure as Failure where failure.code == .notFound {
                continue  // A kind that is not defined (yet) has no objects.
            }
        }
        return needed
    }

    /// Notes every image in an object, wherever it is: in containers, in statuses, in what a release records.
    mutating func note(_ json: JSON) {
        if let members = json.object {
            for (key, value) in members {
                if key == "image" || key == "imageID", let text = value.string {
                    note(text)
                } else {
                    note(value)
                }
            }
        } else if let items = json.array {
            for item in items { note(item) }
        }
    }

    private mutating func note(_ text: String) {
        guard let reference = ImageReference(text) else { return }
        names.insert(reference.storageName)
        if let digest = reference.digest { digests.insert(digest) }
    }

    func contain(_ image: HeldImage) -> Bool {
        !names.isDisjoint(with: image.names) || digests.contains(image.manifest)
            || !digests.isDisjoint(with: image.digests)
    }
}
