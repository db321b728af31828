// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Crypto
package import Foundation
import Model
import SwiftASN1
import X509

/// The embedded cluster's own certificate authority and what it has signed.
package struct ClusterCertificates: Sendable {
    /// A certificate and its private key, both PEM.
    package struct Pair: Sendable {
        package var certificate: String
        package var key: String
    }

    /// The authority's certificate, PEM.
    package var authority: String
    package var server: Pair
    package var administrator: Pair
}

extension ClusterCertificates {
    private static let authorityLife: TimeInterval = 3650 * 86400
    private static let leafLife: TimeInterval = 365 * 86400
    /// A leaf with less than this left is signed anew.
    private static let renewalMargin: TimeInterval = 30 * 86400

    /// Reads the certificates in `folder`, and creates or renews what is missing, expiring or made for other names.
    ///
    /// Keys are written with mode 0600. Throws `fault` where the folder cannot be read or written.
    package static func prepare(in folder: String, serverNames: [String], now: Date = Date()) throws -> Self {
        do {
            let folder = URL(fileURLWithPath: folder, isDirectory: true)
            try FileManager.default.createDirectory(
                at: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            let authority = try Authority.load(from: folder, now: now) ?? Authority.create(in: folder, now: now)
            let server = try leaf("server", in: folder, by: authority, now: now, names: serverNames) {
                CommonName("ballast")
            }
            let administrator = try leaf("admin", in: folder, by: authority, now: now, names: []) {
                OrganizationName("system:masters")
                CommonName("ballast-admin")
            }
            return Self(
                authority: try authority.certificate.serializeAsPEM().pemString,
                server: server,
                administrator: administrator
            )
        } catch {
            throw Failure(
                .fault,
                "the certificates in '\(folder)' cannot be prepared; remove that folder to make new ones",
                cause: error
            )
        }
    }

    private static func leaf(
        _ name: String,
        in folder: URL,
        by authority: Authority,
        now: Date,
        names: [String],
        @DistinguishedNameBuilder subject: () throws -> Result<DistinguishedName, any Error>
    ) throws -> Pair {
        let certificateFile = folder.appendingPathComponent("\(name).crt")
        let keyFile = folder.appendingPathComponent("\(name).key")
        if let kept = try? keptLeaf(certificateFile, keyFile, by: authority, now: now, names: names) { return kept }
        let key = P256.Signing.PrivateKey()
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: .init(key.publicKey),
            notValidBefore: now.addingTimeInterval(-300),
            notValidAfter: now.addingTimeInterval(leafLife),
            issuer: authority.certificate.subject,
            subject: try DistinguishedName(builder: subject),
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try leafExtensions(key.publicKey, authority, names),
            issuerPrivateKey: .init(authority.key)
        )
        let pair = Pair(certificate: try certificate.serializeAsPEM().pemString, key: key.pemRepresentation)
        try write(pair.key, to: keyFile)
        try write(pair.certificate, to: certificateFile)
        return pair
    }

    private static func leafExtensions(
        _ key: P256.Signing.PublicKey,
        _ authority: Authority,
        _ names: [String]
    ) throws -> Certificate.Extensions {
        let usage: ExtendedKeyUsage =
            try names.isEmpty ? ExtendedKeyUsage([.clientAuth]) : ExtendedKeyUsage([.serverAuth])
        return try Certificate.Extensions {
            Critical(BasicConstraints.notCertificateAuthority)
            Critical(KeyUsage(digitalSignature: true))
            usage
            SubjectKeyIdentifier(hash: Certificate.PublicKey(key))
            AuthorityKeyIdentifier(
                keyIdentifier: SubjectKeyIdentifier(hash: Certificate.PublicKey(authority.key.publicKey)).keyIdentifier
            )
            if !names.isEmpty { SubjectAlternativeNames(names.map(generalName)) }
        }
    }

    private static func generalName(_ name: String) -> GeneralName {
        let parts = name.split(separator: ".").compactMap { UInt8($0) }
        if parts.count == 4 { return .ipAddress(ASN1OctetString(contentBytes: parts[...])) }
        if name == "::1" {
            return .ipAddress(ASN1OctetString(contentBytes: ([UInt8](repeating: 0, count: 15) + [1])[...]))
        }
        return .dnsName(name)
    }

    private static func keptLeaf(
        _ certificateFile: URL,
        _ keyFile: URL,
        by authority: Authority,
        now: Date,
        names: [String]
    ) throws -> Pair? {
        let pair = Pair(
            certificate: try String(contentsOf: certificateFile, encoding: .utf8),
            key: try String(contentsOf: keyFile, encoding: .utf8)
        )
        let certificate = try Certificate(pemEncoded: pair.certificate)
        let key = try P256.Signing.PrivateKey(pemRepresentation: pair.key)
        guard certificate.publicKey == Certificate.PublicKey(key.publicKey),
            authority.certificate.publicKey.isValidSignature(certificate.signature, for: certificate),
            certificate.notValidAfter.timeIntervalSince(now) > renewalMargin
        else { return nil }
        let stored = try certificate.extensions.subjectAlternativeNames.map { Set($0.map { "\($0)" }) } ?? []
        return stored == Set(names.map { "\(generalName($0))" }) ? pair : nil
    }

    static func write(_ text: String, to file: URL) throws {
        try Data(text.utf8).write(to: file, options: .atomic)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
    }

    private struct Authority {
        var certificate: Certificate
        var key: P256.Signing.PrivateKey

        static func load(from folder: URL, now: Date) throws -> Authority? {
            let certificateFile = folder.appendingPathComponent("ca.crt")
            let keyFile = folder.appendingPathComponent("ca.key")
            guard FileManager.default.fileExists(atPath: certificateFile.path) else { return nil }
            let certificate = try Certificate(pemEncoded: try String(contentsOf: certificateFile, encoding: .utf8))
            let key = try P256.Signing.PrivateKey(pemRepresentation: try String(contentsOf: keyFile, encoding: .utf8))
            return certificate.notValidAfter > now ? Authority(certificate: certificate, key: key) : nil
        }

        static func create(in folder: URL, now: Date) throws -> Authority {
            let key = P256.Signing.PrivateKey()
            let name = try DistinguishedName { CommonName("ballast-ca") }
            let certificate = try Certificate(
                version: .v3,
                serialNumber: Certificate.SerialNumber(),
                publicKey: .init(key.publicKey),
                notValidBefore: now.addingTimeInterval(-300),
                notValidAfter: now.addingTimeInterval(authorityLife),
                issuer: name,
                subject: name,
                signatureAlgorithm: .ecdsaWithSHA256,
                extensions: try Certificate.Extensions {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                    Critical(KeyUsage(digitalSignature: true, keyCertSign: true))
                    SubjectKeyIdentifier(hash: Certificate.PublicKey(key.publicKey))
                },
                issuerPrivateKey: .init(key)
            )
            try ClusterCertificates.write(key.pemRepresentation, to: folder.appendingPathComponent("ca.key"))
            try ClusterCertificates.write(
                try certificate.serializeAsPEM().pemString,
                to: folder.appendingPathComponent("ca.crt")
            )
            return Authority(certificate: certificate, key: key)
        }
    }
}
