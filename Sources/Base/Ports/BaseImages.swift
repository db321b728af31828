// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// Brings images to build on to this machine.
package protocol BaseImages: Sendable {
    /// The image for one architecture, as files that stay for as long as the process runs; what is there already is not
    /// fetched again. `credentials` are those of the release; `nil` leaves it to the machine's own logins.
    ///
    /// Every file fits its digest. Throws as ``ImageRegistry`` does, and `notFound` where the image has no such architecture.
    func image(
        _ reference: ImageReference,
        architecture: String,
        credentials: RegistryCredentials?
    ) async throws -> FetchedImage
}

/// An image of another's, on this machine.
package struct FetchedImage: Sendable, Hashable {
    package var image: BuiltImage
    /// The name with the digest of what it stood for: of the index, where it is one of several architectures'.
    package var pinned: ImageReference
    /// What had to be fetched, in bytes.
    package var fetched: Int

    package init(image: BuiltImage, pinned: ImageReference, fetched: Int) {
        self.image = image
        self.pinned = pinned
        self.fetched = fetched
    }
}
