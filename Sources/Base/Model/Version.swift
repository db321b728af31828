// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Ballast's own version.
package enum Version {
    package static let text = "0.1.0"
}
