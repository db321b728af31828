// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Where a release comes from: who asks for it, and which commit its source folder is at.
package struct ReleaseOrigin: Sendable {
    /// "root@desk", or the person that a CI system names.
    let person: @Sendable () -> String
    /// The commit of a folder, with "-dirty" where files differ from it; `nil` where it is in no repository.
    let revision: @Sendable (String) async -> String?

    package init(
        person: @escaping @Sendable () -> String = { "" },
        revision: @escaping @Sendable (String) async -> String? = { _ in nil }
    ) {
        self.person = person
        self.revision = revision
    }
}
