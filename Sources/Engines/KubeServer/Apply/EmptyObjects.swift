// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Synchronization

/// The empty objects of the kinds, made once.
final class EmptyObjects: Sendable {
    private let known = Mutex<[ResourceType: JSON]>([:])

    func object(_ type: ResourceType, _ schema: Schema) -> JSON {
        known.withLock { known in
            if let object = known[type] { return object }
            let object = BodyDecoder.untyped((try? ObjectDecoder.decode([:], as: schema))?.object ?? [:])
            known[type] = object
            return object
        }
    }
}
