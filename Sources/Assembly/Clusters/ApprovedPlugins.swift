// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Foundation
import Model

/// Which clusters' credential programs `ballast up` may run, since the person at the terminal added them on this machine.
///
/// A program's name, arguments and the address that its token goes to come from a Secret, which others may write: so what is
/// approved is the kubeconfig whole, by its digest, in a file of the data folder, which only its owner can write.
struct ApprovedPlugins: Sendable {
    let path: String

    func approve(_ cluster: String, kubeconfig: String) throws {
        try change { $0[cluster] = .string(Self.digest(of: kubeconfig)) }
    }

    func forget(_ cluster: String) throws {
        guard read()[cluster] != nil else { return }
        try change { $0[cluster] = nil }
    }

    func holds(_ cluster: String, kubeconfig: String) -> Bool {
        read()[cluster]?.string == Self.digest(of: kubeconfig)
    }

    private static func digest(of text: String) -> String { "\(ContentHash.digest(of: Array(text.utf8)))" }

    private func read() -> JSON {
        FileManager.default.contents(atPath: path).flatMap { try? JSON(parsing: $0) } ?? [:]
    }

    private func change(_ body: (inout JSON) -> Void) throws {
        var json = read()
        body(&json)
        do {
            try Data(json.bytes).write(to: URL(filePath: path), options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        } catch {
            throw Failure(.fault, "'\(path)' cannot be written", cause: error)
        }
    }
}
