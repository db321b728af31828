// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Crypto
import Foundation
import KubeServer
import SwiftASN1
import Testing
import X509

@testable import HTTPSurface

@Suite("client certificates")
struct ClientIdentityTests {
    private typealias Attribute = RelativeDistinguishedName.Attribute

    private static let end = Date(timeIntervalSince1970: 2_000_000_000)
    private static let uid: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 57683, 2]

    /// The bytes of a certificate for that subject, signed by its own key: TLS looks at the chain, not what reads names.
    private func certificate(_ subject: [Attribute]) throws -> [UInt8] {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let name = DistinguishedName(subject.map { RelativeDistinguishedName([$0]) })
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: key.publicKey,
            notValidBefore: Date(timeIntervalSince1970: 1_000_000_000),
            notValidAfter: Self.end,
            issuer: name,
            subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions(),
            issuerPrivateKey: key
        )
        return try certificate.serializeAsPEM().derBytes
    }

    private func attribute(_ type: ASN1ObjectIdentifier, _ text: String) -> Attribute {
        Attribute(type: type, utf8String: text)
    }

    @Test(
        "the common name is the user's name as it stands there, whatever signs are in it",
        arguments: ["dev", "a,b", "a+b", " #x ", "CN=admin,O=system:masters", "back\\slash", "é"]
    )
    func names(_ text: String) throws {
        let bytes = try certificate([
            attribute(.RDNAttributeType.organizationName, "one, two"), attribute(.RDNAttributeType.commonName, text),
            attribute(.RDNAttributeType.organizationName, text),
        ])
        let identity = try ClientIdentities.identity(fromDER: bytes)
        #expect(identity.user?.name == text)
        #expect(identity.user?.groups == ["one, two", text])
        #expect(identity.user?.uid == nil)
        let digest = SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
        #expect(identity.user?.extra == ["authentication.kubernetes.io/credential-id": ["X509SHA256=\(digest)"]])
        #expect(identity.end == Self.end)
    }

    @Test("a certificate without a name is nobody's, as to the real server")
    func nameless() throws {
        let group = attribute(.RDNAttributeType.organizationName, "system:masters")
        #expect(try ClientIdentities.identity(fromDER: certificate([group])).user == nil)
        let empty = attribute(.RDNAttributeType.commonName, "")
        #expect(try ClientIdentities.identity(fromDER: certificate([group, empty])).user == nil)
        let odd = Attribute(
            type: .RDNAttributeType.commonName,
            value: try ASN1Any(erasing: ASN1OctetString(contentBytes: [1, 2]))
        )
        #expect(try ClientIdentities.identity(fromDER: certificate([group, odd])).user == nil)
    }

    @Test("a subject may hold one UID")
    func uid() throws {
        let name = attribute(.RDNAttributeType.commonName, "dev")
        let one = try ClientIdentities.identity(fromDER: certificate([name, attribute(Self.uid, "7")]))
        #expect(one.user?.uid == "7")
        for uids in [[""], ["1", "2"]] {
            let bytes = try certificate([name] + uids.map { attribute(Self.uid, $0) })
            #expect(throws: ClientIdentities.Unbelievable.self) { try ClientIdentities.identity(fromDER: bytes) }
        }
    }

    @Test("what is no certificate is not believed")
    func junk() {
        #expect(throws: ClientIdentities.Unbelievable.self) { try ClientIdentities.identity(fromDER: [1, 2, 3]) }
    }
}
