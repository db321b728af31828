// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import NIOHTTP1
import Ports

/// One request to a registry, described so that it can be sent again.
struct RegistryCall: Sendable {
    enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// A part of a file.
        case file(BlobFile, Range<Int>)
    }

    var method: HTTPMethod
    var url: URL
    var headers: [(String, String)] = []
    var body = Body.none
    /// The repository it is about, without the host.
    var repository: String
    /// What the caller has to be allowed to do, the most important first: `repository:shop/cart:pull`.
    var scopes: [String]
    /// What is being done, for a person: "pull 'shop/cart:1'".
    var purpose: String

    /// What a whole exchange may take, apart from an answer's body: a slow line still moves 256 KiB a second.
    var deadline: Duration {
        guard case .file(_, let range) = body else { return .seconds(30) }
        return .seconds(60 + range.count / (256 << 10))
    }
}

/// A failure that may pass: a broken connection, an overloaded registry.
struct Transient: Error {
    var failure: Failure
    /// What the registry asked for by `Retry-After`.
    var wait: Duration?
}
