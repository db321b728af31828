// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Foundation
import Model
import Testing

@testable import ImageStore

@Suite("reading from the registry")
struct ReadingTests {
    let scratch: Scratch
    let registry: RegistryCalls

    init() throws {
        scratch = try Scratch()
        registry = try RegistryCalls(folder: scratch.path)
    }

    @Test("the version is asked for with and without a slash")
    func version() async {
        for path in ["/v2", "/v2/"] {
            let answer = await registry.call("GET", path)
            #expect(answer.status == 200)
            #expect(answer.header("Docker-Distribution-API-Version") == "registry/2.0")
        }
    }

    @Test("a manifest comes back byte for byte, by tag and by digest")
    func exactBytes() async throws {
        let image = try await registry.pushImage("one", to: "shop/cart", as: "1")
        for reference in ["1", "\(image.digest)"] {
            let answer = await registry.call("GET", "/v2/shop/cart/manifests/\(reference)")
            #expect(answer.status == 200)
            #expect(await answer.text == image.text)
            #expect(answer.header("Content-Type") == MediaType.manifest)
            #expect(answer.header("Docker-Content-Digest") == "\(image.digest)")
        }
    }

    @Test("what is not there is 404 with the specification's code")
    func missing() async throws {
        try await registry.pushImage("one", to: "shop/cart", as: "1")
        let none = Digest(hex: String(repeating: "0", count: 64))?.description ?? ""
        let cases = [
            ("/v2/shop/cart/manifests/2", "MANIFEST_UNKNOWN"), ("/v2/shop/cart/manifests/.2", "MANIFEST_UNKNOWN"),
            ("/v2/shop/cart/manifests/\(none)", "MANIFEST_UNKNOWN"), ("/v2/shop/cart/blobs/\(none)", "BLOB_UNKNOWN"),
            ("/v2/shop/web/tags/list", "NAME_UNKNOWN"), ("/v2/shop/web/manifests/1", "MANIFEST_UNKNOWN"),
        ]
        for (path, code) in cases {
            for method in ["GET", "HEAD"] {
                let answer = await registry.call(method, path)
                #expect(answer.status == 404 && answer.code == code, "\(method) \(path)")
            }
        }
    }

    @Test(
        "names that are none never reach the disk",
        arguments: [
            "../etc", "shop/../cart", "shop//cart", "Shop", "_layers", "shop/_manifests", "a/.", "-a", "ä", "a\u{0}b",
        ]
    )
    func badNames(_ name: String) async {
        let digest = ContentHash.digest(of: [])
        for target in ["manifests/1", "blobs/\(digest)", "tags/list", "blobs/uploads/", "referrers/\(digest)"] {
            let method = target.hasSuffix("/") ? "POST" : "GET"
            let answer = await registry.call(method, "/v2/\(name)/\(target)")
            #expect(answer.status == 400 && answer.code == "NAME_INVALID", "\(target): \(answer.status)")
        }
    }

    @Test("digests and tags that are none are refused")
    func badReferences() async {
        for text in ["sha256:xyz", "sha256:\(String(repeating: "A", count: 64))", "sha512:00", "../../1"] {
            let answer = await registry.call("GET", "/v2/shop/cart/blobs/\(text)")
            #expect(answer.status == 400 || answer.status == 404, "\(text)")
            #expect(answer.code == "DIGEST_INVALID" || answer.code == "NAME_INVALID" || answer.code == "NAME_UNKNOWN")
        }
        let answer = await registry.call("PUT", "/v2/shop/cart/manifests/.x", text: "{}")
        #expect(answer.code == "TAG_INVALID")
    }

    @Test(
        "a part of a blob is read by its range",
        arguments: [
            ("bytes=0-4", 206, "hello", "bytes 0-4/11"), ("bytes=6-", 206, "world", "bytes 6-10/11"),
            ("bytes=-5", 206, "world", "bytes 6-10/11"), ("bytes=6-999", 206, "world", "bytes 6-10/11"),
            ("bytes=-99", 206, "hello world", "bytes 0-10/11"), ("bytes=11-", 416, nil, "bytes */11"),
            ("bytes=-0", 416, nil, "bytes */11"), ("bytes=4-1", 416, nil, "bytes */11"),
            ("bytes=0-1,3-4", 200, "hello world", nil), ("lines=0-1", 200, "hello world", nil),
            ("bytes=99999999999999999999-", 200, "hello world", nil),
        ] as [(String, Int, String?, String?)]
    )
    func ranges(_ header: String, _ status: Int, _ text: String?, _ content: String?) async throws {
        let digest = try await registry.pushBlob("hello world", to: "a")
        let answer = await registry.call("GET", "/v2/a/blobs/\(digest)", ["range": header])
        #expect(answer.status == status)
        if let text { #expect(await answer.text == text) }
        #expect(answer.header("Content-Range") == content)
    }

    @Test("tags come in the order of their bytes, page by page")
    func tagPages() async throws {
        for tag in ["b", "a", "B", "_c", "1.10", "1.9"] { try await registry.pushImage("x", to: "shop/cart", as: tag) }
        try await registry.pushImage("x", to: "shop/cart", as: "digest")
        let all = await registry.call("GET", "/v2/shop/cart/tags/list")
        #expect(all.document == #"{"name":"shop/cart","tags":["1.10","1.9","B","_c","a","b"]}"#)
        #expect(all.header("Link") == nil)
        let page = await registry.call("GET", "/v2/shop/cart/tags/list?n=2&last=1.9")
        #expect(page.document == #"{"name":"shop/cart","tags":["B","_c"]}"#)
        #expect(page.header("Link") == #"</v2/shop/cart/tags/list?last=_c&n=2>; rel="next""#)
        let end = await registry.call("GET", "/v2/shop/cart/tags/list?n=2&last=_c")
        #expect(end.header("Link") == nil)
        #expect(
            await registry.call("GET", "/v2/shop/cart/tags/list?n=0").document == #"{"name":"shop/cart","tags":[]}"#
        )
        #expect(await registry.call("GET", "/v2/shop/cart/tags/list?n=-1").code == "PAGINATION_NUMBER_INVALID")
    }

    @Test("the catalog lists repositories with a manifest, nested ones too")
    func catalog() async throws {
        for name in ["shop", "shop/cart", "shop/cart/edge", "a"] {
            try await registry.pushImage("x", to: name, as: "1")
        }
        try await registry.pushBlob("alone", to: "blobs-only")
        let all = await registry.call("GET", "/v2/_catalog")
        #expect(all.document == #"{"repositories":["a","shop","shop/cart","shop/cart/edge"]}"#)
        let page = await registry.call("GET", "/v2/_catalog?n=1&last=a")
        #expect(page.document == #"{"repositories":["shop"]}"#)
        #expect(page.header("Link") == #"</v2/_catalog?last=shop&n=1>; rel="next""#)
    }

    @Test("methods that a path does not know are 405")
    func methods() async {
        #expect(await registry.call("POST", "/v2/a/manifests/1").status == 405)
        #expect(await registry.call("DELETE", "/v2/").status == 405)
        #expect(await registry.call("GET", "/v1/search").status == 404)
    }

    @Test("a blob being read stays whole while it is deleted")
    func readWhileDeleted() async throws {
        let digest = try await registry.pushBlob("hello world", to: "a")
        let answer = await registry.call("GET", "/v2/a/blobs/\(digest)")
        #expect(await registry.call("DELETE", "/v2/a/blobs/\(digest)").status == 202)
        _ = try await registry.service.store.collect(unusedSince: Timestamp(nanoseconds: .max))
        #expect(await answer.text == "hello world")
    }
}
