// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import NIOSSL

/// Why a cluster may have refused what a request carried to say who asks, and who can mend that.
struct RefusedCredential {
    let config: KubeConfig
    let credential: Credential
    let now: Timestamp

    /// `cause` is the cluster's own answer.
    func failure(cause: any Error) -> Failure {
        let user = config.user.name.isEmpty ? "" : " of user '\(config.user.name)'"
        let message = "the cluster at '\(config.server)' refuses the credentials\(user): \(why)"
        return Failure(.denied, message, cause: cause)
    }

    private var why: String {
        let user = config.user
        if let path = user.tokenFile, let token {
            return "\(state(of: "the token in '\(path)'", token)); renew that file"
        }
        if user.token != nil, let token { return "\(state(of: "its token", token)); get a new kubeconfig" }
        if user.basic != nil { return "its name and password are not accepted" }
        if let plugin = user.plugin {
            let what = token.map { state(of: "the token of '\(plugin.command)'", $0) } ?? certificateState
            return "\(what); log in with that program anew"
        }
        if credential.identity != nil { return "\(certificateState); get a new kubeconfig" }
        return "its kubeconfig names nobody who asks"
    }

    private var token: String? {
        let prefix = Credential.bearer("")
        return credential.authorization.flatMap { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : nil }
    }

    private func state(of what: String, _ token: String) -> String {
        guard let end = Self.end(ofToken: token), end <= now else { return "\(what) is not accepted" }
        return "\(what) ended at \(end)"
    }

    private var certificateState: String {
        credential.identity.flatMap { Self.words(ofCertificate: $0.certificate, at: now) }
            ?? "its client certificate is not accepted"
    }

    /// `its client certificate ended at …`; `nil` where it is good for longer, or no certificate.
    static func words(ofCertificate pem: String, at now: Timestamp) -> String? {
        guard let certificate = try? NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)).first else { return nil }
        let end = Timestamp(seconds: Int64(certificate.notValidAfter))
        return end <= now ? "its client certificate ended at \(end)" : nil
    }

    /// When a JSON web token ends, as it says itself; `nil` for any other token.
    static func end(ofToken token: String) -> Timestamp? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        let letters = parts[1].map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
        let padded = String(letters) + String(repeating: "=", count: (4 - letters.count % 4) % 4)
        guard let bytes = Base64.decode(padded), let claims = try? JSON(parsing: bytes) else { return nil }
        return claims["exp"]?.int.map { Timestamp(seconds: Int64($0)) }
    }
}
