// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

extension ClusterAPI {
    /// Ballast's own objects in a home cluster; none where it keeps no records yet, as a real one before its first release, and
    /// none in Ballast's own namespace where one may not look.
    func records(_ query: ListQuery) async throws -> [KubeObject] {
        do {
            return try await list(query).items
        } catch let failure as Failure where failure.code == .notFound {
            return []
        } catch let failure as Failure
            where failure.code == .denied && query.namespace == ReleaseRecord.systemNamespace
        {
            return []
        }
    }

    /// The object where one may look; `nil` also in Ballast's own namespace where one may not: who works in an app's namespace
    /// alone has put nothing there.
    func findShared(_ reference: ObjectReference) async throws -> KubeObject? {
        do {
            return try await find(reference)
        } catch let failure as Failure
            where failure.code == .denied && reference.namespace == ReleaseRecord.systemNamespace
        {
            return nil
        }
    }
}
