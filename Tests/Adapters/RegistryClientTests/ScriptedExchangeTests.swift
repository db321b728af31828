// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
import Digests
import Foundation
import Model
import Ports
import TestKit
import Testing

@testable import RegistryClient

/// What no well-behaved registry does on demand: redirects, outages, token services with their own manners.
@Suite("exchanges with awkward registries")
struct ScriptedExchangeTests {
    private static let manifestText = #"{"schemaVersion":2,"layers":[]}"#
    private static let manifestType = "application/vnd.oci.image.manifest.v1+json"

    /// A client whose pauses take no time.
    private func withClient(
        _ host: String,
        _ credentials: RegistryCredentials? = nil,
        _ work: (HTTPImageRegistry<HandClock>, HandClock) async throws -> Void
    ) async throws {
        let clock = HandClock()
        let http = HTTPImageRegistries.client()
        let address = try #require(RegistryAddress(host: host, plainHosts: []))
        let exchange = RegistryExchange(
            http: http,
            address: address,
            source: credentials.map { .fixed($0) } ?? .nobody,
            trust: RegistryTrust(),
            authorizations: AuthorizationCache(clock: clock),
            clock: clock
        )
        do {
            try await work(HTTPImageRegistry(exchange: exchange, origins: BlobOrigins()), clock)
        } catch {
            try await http.shutdown()
            throw error
        }
        try await http.shutdown()
    }

    private func reference(_ server: ScriptedServer, _ tag: String = "1") -> ImageReference {
        ImageReference(registry: server.host, repository: "shop/cart", tag: tag)
    }

    private static let user = RegistryCredentials(username: "ada", password: "pa:ss")

    @Test("a token is fetched with the password, used for its scope, and fetched anew when it is refused")
    func bearer() async throws {
        let server = try ScriptedServer { request, place in
            let isToken = request.target.hasPrefix("/token")
            if isToken { return .init(status: 200, body: #"{"access_token":"t\#(place)","expires_in":300}"#) }
            let authorization = request.header("authorization")
            guard authorization == "Bearer t1" || authorization == "Bearer t4" else {
                let realm = "http://\(request.header("host") ?? "")/token?x=1"
                let challenge = #"Bearer realm="\#(realm)", service="reg", scope="repository:shop/cart:pull""#
                return .init(status: 401, headers: [("WWW-Authenticate", challenge)])
            }
            if place == 3, authorization == "Bearer t1" {  // the token ended early
                return .init(
                    status: 401,
                    headers: [("WWW-Authenticate", #"Bearer realm="http://\#(request.header("host") ?? "")/token""#)]
                )
            }
            return .init(status: 200, headers: [("Content-Type", Self.manifestType)], body: Self.manifestText)
        }
        try await withClient(server.host, Self.user) { client, _ in
            _ = try await client.manifest(reference(server))
            _ = try await client.manifest(reference(server))
        }
        #expect(
            server.lines == [
                "GET /v2/shop/cart/manifests/1", "GET /token?x=1&service=reg&scope=repository:shop/cart:pull",
                "GET /v2/shop/cart/manifests/1", "GET /v2/shop/cart/manifests/1",
                "GET /token?scope=repository:shop/cart:pull", "GET /v2/shop/cart/manifests/1",
            ]
        )
        #expect(server.requests[1].header("authorization") == "Basic YWRhOnBhOnNz")
        #expect(server.requests[0].header("authorization") == nil)
    }

    @Test("without credentials a token is asked for anonymously, and a refusal says what to give")
    func anonymousRefused() async throws {
        let server = try ScriptedServer { request, _ in
            if request.target.hasPrefix("/token") { return .init(status: 200, body: #"{"token":"anonymous"}"#) }
            let challenge = #"Bearer realm="http://\#(request.header("host") ?? "")/token""#
            let body = #"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#
            return .init(status: 401, headers: [("WWW-Authenticate", challenge)], body: body)
        }
        try await withClient(server.host) { client, _ in
            await #expect {
                try await client.manifest(reference(server))
            } throws: { error in
                (error as? Failure)?.code == .denied
                    && "\(error)"
                        == "the registry '\(server.host)' does not let us pull 'shop/cart:1': requested access "
                        + "to the resource is denied; log in by 'docker login \(server.host)', or name a Secret with a user "
                        + "name and a password in spec.image.credentials"
            }
        }
        #expect(server.requests[1].header("authorization") == nil)
        #expect(server.requests.last?.header("authorization") == "Bearer anonymous")
    }

    @Test("a redirect to another host is followed without the authorization")
    func redirects() async throws {
        let storage = try ScriptedServer { _, _ in .init(status: 200, body: "bytes") }
        let server = try ScriptedServer { [host = storage.host] request, _ in
            guard request.header("authorization") != nil else {
                return .init(status: 401, headers: [("WWW-Authenticate", "Basic realm=x")])
            }
            return .init(status: 307, headers: [("Location", "http://\(host)/blob?signature=1")])
        }
        try await withClient(server.host, Self.user) { client, _ in
            let bytes = try await collect(client.blob(ContentHash.digest(of: []), from: "shop/cart"))
            #expect(bytes == Array("bytes".utf8))
        }
        #expect(storage.lines == ["GET /blob?signature=1"])
        #expect(storage.requests[0].header("authorization") == nil)
        #expect(server.requests.last?.header("authorization") == "Basic YWRhOnBhOnNz")
    }

    @Test("circles of redirects end")
    func circles() async throws {
        let server = try ScriptedServer { request, _ in .init(status: 302, headers: [("Location", request.target)]) }
        try await withClient(server.host) { client, _ in
            await #expect {
                try await client.manifest(reference(server))
            } throws: { "\($0)".contains("redirects in circles") }
        }
        #expect(server.requests.count == 6)
    }

    @Test("passing trouble is tried again after the pause the registry asks for")
    func retries() async throws {
        let server = try ScriptedServer { _, place in
            switch place {
            case 0: .init(status: 503, headers: [("Retry-After", "7")])
            case 1: .init(status: 200, hangsUp: true)
            case 2: .init(status: 429)
            default: .init(status: 200, headers: [("Content-Type", Self.manifestType)], body: Self.manifestText)
            }
        }
        try await withClient(server.host) { client, clock in
            _ = try await client.manifest(reference(server))
            #expect(clock.now.offset == .seconds(7 + 1 + 3))
        }
        #expect(server.requests.count == 4)
    }

    @Test("trouble that does not pass ends with the registry's words")
    func gaveUp() async throws {
        let server = try ScriptedServer { _, _ in .init(status: 502, body: "<html>bad gateway</html>") }
        try await withClient(server.host) { client, _ in
            await #expect {
                try await client.manifest(reference(server))
            } throws: { error in
                (error as? Failure)?.code == .unavailable
                    && "\(error)" == "the registry '\(server.host)' failed to pull 'shop/cart:1': 502"
            }
        }
        #expect(server.requests.count == 4)
    }

    @Test("a lost upload begins anew, at an absolute location with a query, and large blobs stream")
    func lostUpload() async throws {
        let image = try SampleImage(layerSize: 3 << 20)
        let server = try ScriptedServer { request, place in
            switch (request.method, place) {
            case ("HEAD", _), ("GET", _): .init(status: 404)
            case ("POST", _):
                .init(
                    status: 202,
                    headers: [("Location", "http://\(request.header("host") ?? "")/up/\(place)?state=a%2Fb")]
                )
            case ("PUT", 2): .init(status: 503)
            case ("PUT", _): .init(status: 201)
            default: .init(status: 500)
            }
        }
        try await withClient(server.host) { client, _ in try await client.push(image.layer, to: "shop/cart") }
        let digest = "sha256%3A\(image.layer.digest.hex)"
        #expect(
            server.lines == [
                "HEAD /v2/shop/cart/blobs/\(image.layer.digest)", "POST /v2/shop/cart/blobs/uploads/?mount=\(digest)",
                "PUT /up/1?state=a%2Fb&digest=\(digest)", "GET /up/1?state=a%2Fb",
                "HEAD /v2/shop/cart/blobs/\(image.layer.digest)", "POST /v2/shop/cart/blobs/uploads/?mount=\(digest)",
                "PUT /up/5?state=a%2Fb&digest=\(digest)",
            ]
        )
        #expect(ContentHash.digest(of: server.requests[6].body) == image.layer.digest)
        #expect(server.requests[6].header("content-length") == String(image.layer.size))
    }

    @Test("an upload that was cut goes on where the registry stands, at the address it names then")
    func resumedUpload() async throws {
        let image = try SampleImage(layerSize: 3 << 20)
        let server = try ScriptedServer { request, place in
            switch (request.method, place) {
            case ("HEAD", _): .init(status: 404)
            case ("POST", _): .init(status: 202, headers: [("Location", "/up?at=0")])
            case ("PUT", 2): .init(status: 0, hangsUp: true)
            case ("GET", _): .init(status: 204, headers: [("Range", "0-999999"), ("Location", "/up?at=1000000")])
            case ("PUT", 4): .init(status: 416, headers: [("Range", "0-1999999"), ("Location", "/up?at=2000000")])
            default: .init(status: 201)
            }
        }
        try await withClient(server.host) { client, _ in try await client.push(image.layer, to: "shop/cart") }
        let digest = "digest=sha256%3A\(image.layer.digest.hex)"
        #expect(
            server.lines.dropFirst(2) == [
                "PUT /up?at=0&\(digest)", "GET /up?at=0", "PUT /up?at=1000000&\(digest)",
                "PUT /up?at=2000000&\(digest)",
            ]
        )
        let size = image.layer.size
        #expect(server.requests[4].header("content-range") == "1000000-\(size - 1)")
        #expect(server.requests[5].header("content-range") == "2000000-\(size - 1)")
        let bytes = try [UInt8](Data(contentsOf: URL(filePath: image.layer.path)))
        #expect(server.requests[5].body == Array(bytes[2_000_000...]))
    }

    @Test("what a proxy finds too large goes in chunks")
    func chunks() async throws {
        let image = try SampleImage(layerSize: 3 << 20)
        let server = try ScriptedServer { request, _ in
            switch request.method {
            case "HEAD": .init(status: 404)
            case "POST": .init(status: 202, headers: [("Location", "/up?at=0")])
            case _ where request.body.count > 2 << 20: .init(status: 413)
            case "PATCH":
                .init(status: 202, headers: [("Range", "0-\(request.body.count - 1)"), ("Location", "/up?at=1")])
            default: .init(status: 201)
            }
        }
        try await withClient(server.host) { client, _ in try await client.push(image.layer, to: "shop/cart") }
        let half = image.layer.size / 2
        #expect(
            server.requests.suffix(2).map { "\($0.method) \($0.target.prefix(8))" } == [
                "PATCH /up?at=0", "PUT /up?at=1",
            ]
        )
        #expect(
            server.requests.suffix(2).map { $0.header("content-range") } == [
                "0-\(half - 1)", "\(half)-\(image.layer.size - 1)",
            ]
        )
        #expect(ContentHash.digest(of: server.requests.suffix(2).flatMap(\.body)) == image.layer.digest)
    }

    @Test("an identity token is exchanged by a form, and what comes with it serves for the next")
    func refreshTokens() async throws {
        let server = try ScriptedServer { request, place in
            guard request.target.hasPrefix("/token") else {
                guard request.header("authorization") == nil else {
                    return .init(status: 200, headers: [("Content-Type", Self.manifestType)], body: Self.manifestText)
                }
                let realm = "http://\(request.header("host") ?? "")/token"
                return .init(status: 401, headers: [("WWW-Authenticate", "Bearer realm=\"\(realm)\",service=\"a b\"")])
            }
            return .init(status: 200, body: #"{"access_token":"t","expires_in":"300","refresh_token":"second"}"#)
        }
        let login = RegistryCredentials(username: "", password: "", identityToken: "first+1")
        try await withClient(server.host, login) { client, _ in
            _ = try await client.manifest(reference(server))
            _ = try await client.manifest(ImageReference(registry: server.host, repository: "b", tag: "1"))
        }
        let forms = server.requests.filter { $0.method == "POST" }
        #expect(forms.map(\.target) == ["/token", "/token"])
        #expect(forms.allSatisfy { $0.header("authorization") == nil })
        #expect(
            forms.map { String(decoding: $0.body, as: UTF8.self) } == [
                "client_id=ballast&grant_type=refresh_token&refresh_token=first%2B1&service=a%20b&scope=repository%3Ashop%2Fcart%3Apull",
                "client_id=ballast&grant_type=refresh_token&refresh_token=second&service=a%20b&scope=repository%3Ab%3Apull",
            ]
        )
    }

    @Test("a service that has no GET is asked by a form with the password")
    func passwordGrant() async throws {
        let server = try ScriptedServer { request, _ in
            switch (request.method, request.target.hasPrefix("/token"), request.header("authorization")) {
            case ("GET", true, _): return .init(status: 405)
            case ("POST", true, _): return .init(status: 200, body: #"{"access_token":"t"}"#)
            case (_, _, "Bearer t"):
                return .init(status: 200, headers: [("Content-Type", Self.manifestType)], body: Self.manifestText)
            default:
                let realm = "http://\(request.header("host") ?? "")/token"
                return .init(status: 401, headers: [("WWW-Authenticate", "Bearer realm=\"\(realm)\"")])
            }
        }
        try await withClient(server.host, Self.user) { client, _ in _ = try await client.manifest(reference(server)) }
        let form = server.requests.first { $0.method == "POST" }
        #expect(
            String(decoding: form?.body ?? [], as: UTF8.self)
                == "client_id=ballast&grant_type=password&username=ada&password=pa%3Ass&scope=repository%3Ashop%2Fcart%3Apull"
        )
    }

    @Test("a token that was handed over is shown as it is, and nobody else is asked")
    func registryToken() async throws {
        let server = try ScriptedServer { request, _ in
            guard request.header("authorization") == "Bearer ready" else {
                return .init(status: 401, headers: [("WWW-Authenticate", #"Bearer realm="http://127.0.0.1:1/token""#)])
            }
            return .init(status: 200, headers: [("Content-Type", Self.manifestType)], body: Self.manifestText)
        }
        let login = RegistryCredentials(username: "", password: "", registryToken: "ready")
        try await withClient(server.host, login) { client, _ in _ = try await client.manifest(reference(server)) }
        #expect(server.requests.count == 2)
    }

    @Test(
        "who is known but may not is told so; who is not known is told to check the password; clouds' users how long theirs lasts"
    )
    func refusals() async throws {
        let server = try ScriptedServer { request, _ in
            let isKnown = request.header("authorization") != nil && request.target.contains("/closed/")
            if isKnown { return .init(status: 403) }
            return .init(status: 401, headers: [("WWW-Authenticate", "Basic realm=x")])
        }
        for (user, repository, words) in [
            ("ada", "closed/a", "403 Forbidden; ask for the right to pull 'closed/a:1' for 'ada'"),
            ("ada", "open/a", "check the password of 'ada'"),
            ("AWS", "open/a", "a login of 'AWS' is good for 12 hours: get a new one"),
            ("cr_temp_user", "open/a", "a login of 'cr_temp_user' is good for 1 hour: get a new one"),
        ] {
            try await withClient(server.host, RegistryCredentials(username: user, password: "x")) { client, _ in
                let reference = ImageReference(registry: server.host, repository: repository, tag: "1")
                await #expect {
                    try await client.manifest(reference)
                } throws: { error in
                    (error as? Failure)?.code == .denied && "\(error)".contains(server.host)
                        && "\(error)".contains(repository) && "\(error)".contains(words)
                }
            }
        }
    }

    @Test("a redirect from afar into this machine or its link is not followed")
    func redirectInside() throws {
        #expect(AddressKind("169.254.169.254").isLocal && AddressKind("localhost").isLocal)
        #expect(
            !AddressKind("oss.internal").isLocal && !AddressKind("10.0.0.5").isLocal && !AddressKind("cafe.de").isLocal
        )
    }

    @Test("a full disk is not tried again and is named")
    func diskFull() async throws {
        let image = try SampleImage()
        let server = try ScriptedServer { request, _ in
            switch request.method {
            case "HEAD": .init(status: 404)
            case "POST": .init(status: 202, headers: [("Location", "/up")])
            default:
                .init(
                    status: 500,
                    body:
                        #"{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{"DriverName":"filesystem","Enclosed":{"Op":"write","Err":28}}}]}"#
                )
            }
        }
        try await withClient(server.host) { client, _ in
            await #expect {
                try await client.push(image.layer, to: "shop/cart")
            } throws: { error in
                "\(error)".hasPrefix(
                    "the registry '\(server.host)' failed to push a blob to 'shop/cart': its disk is full"
                )
            }
        }
        #expect(server.requests.count == 3)
    }

    @Test("a blob seen in one repository is mounted into the next, and sent where that is refused")
    func mounting() async throws {
        let image = try SampleImage()
        let server = try ScriptedServer { request, _ in
            switch request.method {
            case "HEAD": .init(status: request.target.contains("/one/") ? 200 : 404)
            case "POST" where request.target.contains("/two/"): .init(status: 201)
            case "POST" where request.target.contains("mount="): .init(status: 400)
            case "POST": .init(status: 202, headers: [("Location", "/up")])
            default: .init(status: 201)
            }
        }
        try await withClient(server.host) { client, _ in
            for repository in ["a/one", "a/two", "a/three"] { try await client.push(image.layer, to: repository) }
        }
        let mount = "mount=sha256%3A\(image.layer.digest.hex)"
        #expect(
            server.lines.filter { !$0.hasPrefix("HEAD") } == [
                "POST /v2/a/two/blobs/uploads/?\(mount)&from=a%2Fone",
                "POST /v2/a/three/blobs/uploads/?\(mount)&from=a%2Ftwo", "POST /v2/a/three/blobs/uploads/",
                "PUT /up?digest=sha256%3A\(image.layer.digest.hex)",
            ]
        )
    }

    @Test("a manifest that has not the digest asked for is refused")
    func wrongDigest() async throws {
        let server = try ScriptedServer { _, _ in
            .init(status: 200, headers: [("Content-Type", Self.manifestType)], body: Self.manifestText)
        }
        let other = ContentHash.digest(of: [])
        try await withClient(server.host) { client, _ in
            let reference = ImageReference(registry: server.host, repository: "shop/cart", tag: "1", digest: other)
            await #expect {
                try await client.manifest(reference)
            } throws: { ($0 as? Failure)?.code == .fault && "\($0)".contains("pull 'shop/cart@\(other)'") }
        }
    }

    @Test("a blob whose file is not as promised is never sent")
    func wrongFile() async throws {
        try await withClient("127.0.0.1:1") { client, _ in
            let blob = BlobFile(digest: ContentHash.digest(of: []), size: 1, path: "/nonexistent")
            await #expect {
                try await client.push(blob, to: "a")
            } throws: { ($0 as? Failure)?.code == .invalidInput }
        }
    }

    @Test("a registry that is not there is named")
    func notThere() async throws {
        try await withClient("127.0.0.1:1") { client, _ in
            await #expect {
                try await client.manifest(ImageReference(registry: "127.0.0.1:1", repository: "a", tag: "1"))
            } throws: {
                ($0 as? Failure)?.code == .unavailable
                    && "\($0)".hasPrefix("the registry '127.0.0.1:1' cannot be reached")
            }
        }
    }
}
