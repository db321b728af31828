// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The clusters Ballast knows, by name.
package protocol ClusterDirectory: Sendable {
    /// The names, `local` first.
    func names() async throws -> [String]

    /// A connection to the named cluster; `notFound` names the known ones and the nearest.
    ///
    /// It is kept by the directory: the same one each time, and nothing the caller has to close.
    func cluster(named name: String) async throws -> any ClusterAPI
}
