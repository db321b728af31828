// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a credential plugin printed: the `status` of an `ExecCredential`.
struct PluginAnswer: Sendable, Hashable {
    var token: String?
    var identity: Credential.Identity?
    /// `nil`: good until it is refused.
    var expires: Timestamp?

    /// So long before its end an answer is no longer used, for a request takes time.
    private static let margin = Duration.seconds(5)

    func isGood(at now: Timestamp) -> Bool { expires.map { now + Self.margin < $0 } ?? true }

    /// Whether that is what the request carried.
    func isIn(_ credential: Credential) -> Bool {
        token.map(Credential.bearer) == credential.authorization
            && (identity == nil || identity == credential.identity)
    }

    init(_ output: [UInt8], from plugin: CredentialPlugin) throws {
        func complaint(_ text: String) -> Failure {
            Failure(.denied, "the credential plugin '\(plugin.command)' \(text)")
        }
        guard let json = try? JSON(parsing: output), json.object != nil else {
            throw complaint("printed no JSON object")
        }
        guard json["kind"]?.string == "ExecCredential" else { throw complaint("printed no 'ExecCredential'") }
        guard let version = json["apiVersion"]?.string, version == plugin.apiVersion else {
            let said = json["apiVersion"]?.string ?? ""
            throw complaint("answers in version '\(said)', but its kubeconfig says '\(plugin.apiVersion)'")
        }
        guard let status = json["status"], status.object != nil else { throw complaint("printed no 'status'") }
        token = status["token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        let certificate = status["clientCertificateData"]?.string ?? ""
        let key = status["clientKeyData"]?.string ?? ""
        guard certificate.isEmpty == key.isEmpty else {
            throw complaint("gave only one of 'clientCertificateData' and 'clientKeyData'")
        }
        if !key.isEmpty { identity = Credential.Identity(certificate: certificate, key: key) }
        guard token != nil || identity != nil else { throw complaint("gave neither a token nor a client certificate") }
        guard let text = status["expirationTimestamp"]?.string else { return }
        guard let time = Timestamp(text) else { throw complaint("gave the expiry '\(text)', which is no time") }
        expires = time
    }
}

extension CredentialPlugin {
    /// What the plugin is told: an `ExecCredential` whose `spec` says whether it may ask the person, and about the cluster
    /// where it wants to know.
    func request(for config: KubeConfig) throws -> JSON {
        var spec: JSON = ["interactive": .bool(isInteractive)]
        if providesClusterInfo {
            var cluster: JSON = ["server": .string(config.server)]
            if let name = config.serverName { cluster["tls-server-name"] = .string(name) }
            if config.skipsVerification { cluster["insecure-skip-tls-verify"] = true }
            if let authority = try config.authority?.read() {
                cluster["certificate-authority-data"] = .string(Base64.encode(Array(authority.utf8)))
            }
            if let proxy = config.proxy { cluster["proxy-url"] = .string(proxy.text) }
            if let extra = config.pluginConfiguration { cluster["config"] = extra }
            spec["cluster"] = cluster
        }
        return ["kind": "ExecCredential", "apiVersion": .string(apiVersion), "spec": spec]
    }
}
