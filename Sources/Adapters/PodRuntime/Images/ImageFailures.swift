// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The words of the kubelet and of containerd, which people search for.
extension ImageFailure {
    static func invalidName(_ image: String) -> ImageFailure {
        let words = "invalid reference format"
        return ImageFailure(
            .invalidImageName,
            .invalidInput,
            "Failed to apply default image tag \"\(image)\": couldn't parse image name \"\(image)\": \(words)"
        )
    }

    static func neverPulled(_ image: String) -> ImageFailure {
        ImageFailure(
            .errImageNeverPull,
            .notFound,
            "Container image \"\(image)\" is not present with pull policy of Never"
        )
    }

    static func pull(_ reference: ImageReference, _ error: any Error) -> ImageFailure {
        let name = reference.fullName
        let failed = "failed to pull and unpack image \"\(name)\""
        guard let failure = error as? Failure else {
            return ImageFailure(.errImagePull, .fault, "\(failed): \(error)")
        }
        let unresolved = "\(failed): failed to resolve reference \"\(name)\""
        switch failure.code {
        case .notFound:
            return ImageFailure(.errImagePull, .notFound, "\(unresolved): \(name): not found (\(failure))")
        case .denied:
            let denied = "pull access denied, repository does not exist or may require authorization"
            return ImageFailure(.errImagePull, .denied, "\(unresolved): \(denied): \(failure)")
        case .unavailable, .deadlineExceeded:
            return ImageFailure(.errImagePull, failure.code, "\(unresolved): failed to do request: \(failure)")
        default:
            return ImageFailure(.errImagePull, failure.code, "\(failed): \(failure)")
        }
    }
}

extension ImageReference {
    /// With the tag that is meant where none is given.
    var fullName: String {
        var full = self
        if full.tag == nil, full.digest == nil { full.tag = "latest" }
        return full.description
    }
}
