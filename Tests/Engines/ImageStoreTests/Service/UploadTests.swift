// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Foundation
import Model
import Testing

@testable import ImageStore

@Suite("uploads to the registry")
struct UploadTests {
    let scratch: Scratch
    let registry: RegistryCalls

    init() throws {
        scratch = try Scratch()
        registry = try RegistryCalls(folder: scratch.path)
    }

    private static let digest = ContentHash.digest(of: Array("hello world".utf8))

    private func begin(_ repository: String = "shop/cart") async throws -> String {
        let answer = await registry.call("POST", "/v2/\(repository)/blobs/uploads/")
        try #require(answer.status == 202)
        #expect(answer.header("Range") == "0-0")
        return try #require(answer.header("Location"))
    }

    private func expectBlob(in repository: String = "shop/cart") async {
        let found = await registry.call("GET", "/v2/\(repository)/blobs/\(Self.digest)")
        #expect(found.status == 200)
        #expect(await found.text == "hello world")
        #expect(found.header("Docker-Content-Digest") == "\(Self.digest)")
    }

    @Test("POST, then PUT with the whole blob")
    func putWhole() async throws {
        let answer = try await registry.call("PUT", "\(begin())?digest=\(Self.digest)", body: Pieces("hello world"))
        #expect(answer.status == 201)
        #expect(answer.header("Location") == "/v2/shop/cart/blobs/\(Self.digest)")
        await expectBlob()
        #expect(try Folder.names(in: "\(scratch.path)/uploads") == [])
    }

    @Test("POST with the digest and the blob at once")
    func monolithicPost() async throws {
        let target = "/v2/shop/cart/blobs/uploads/?digest=\(Self.digest)"
        #expect(await registry.call("POST", target, text: "hello world").status == 201)
        await expectBlob()
    }

    @Test("chunks with ranges, asked for their state in between")
    func chunks() async throws {
        let location = try await begin()
        let first = await registry.call(
            "PATCH",
            location,
            ["content-range": "0-4", "content-length": "5"],
            text: "hello"
        )
        #expect(first.status == 202)
        #expect(first.header("Range") == "0-4")
        let state = await registry.call("GET", location)
        #expect(state.status == 204)
        #expect(state.header("Range") == "0-4")
        #expect(state.header("Location") == location)
        let last = await registry.call(
            "PUT",
            "\(location)?digest=\(Self.digest)",
            ["content-range": "5-10"],
            text: " world"
        )
        #expect(last.status == 201)
        await expectBlob()
    }

    @Test("a chunk out of order is refused with 416 and the place to go on from")
    func outOfOrder() async throws {
        let location = try await begin()
        _ = await registry.call("PATCH", location, text: "hello")
        let answer = await registry.call("PATCH", location, ["content-range": "6-10"], text: "world")
        #expect(answer.status == 416)
        #expect(answer.code == "RANGE_INVALID")
        #expect(answer.header("Range") == "0-4")
        #expect(answer.header("Location") == location)
        let repeated = await registry.call("PATCH", location, ["content-range": "0-4"], text: "hello")
        #expect(repeated.status == 416)
    }

    @Test("what arrived before a client went away counts, and the upload goes on", arguments: [false, true])
    func resumes(afterRestart restarts: Bool) async throws {
        let location = try await begin()
        let broken = await registry.call("PATCH", location, body: Pieces([Array("hello".utf8)], breaksOff: true))
        #expect(broken.status == 400)
        #expect(broken.code == "BLOB_UPLOAD_INVALID")
        // A new store over the same folder is what `kill -9` leaves.
        let registry = restarts ? try RegistryCalls(folder: scratch.path) : registry
        let state = await registry.call("GET", location)
        #expect(state.status == 204)
        #expect(state.header("Range") == "0-4")
        let done = await registry.call(
            "PUT",
            "\(location)?digest=\(Self.digest)",
            ["content-range": "5-10"],
            text: " world"
        )
        #expect(done.status == 201)
        await expectBlob()
    }

    @Test("a wrong digest is refused, nothing is kept, and the upload is gone")
    func wrongDigest() async throws {
        let location = try await begin()
        let answer = await registry.call("PUT", "\(location)?digest=\(Self.digest)", text: "hello worlD")
        #expect(answer.status == 400)
        #expect(answer.code == "DIGEST_INVALID")
        #expect(await registry.call("GET", location).status == 404)
        #expect(try Folder.names(in: "\(scratch.path)/blobs/sha256") == [])
        #expect(try Folder.names(in: "\(scratch.path)/uploads") == [])
    }

    @Test(
        "a malformed or missing digest is refused",
        arguments: ["", "?digest=", "?digest=sha256:abc", "?digest=md5:d41d8cd98f00b204e9800998ecf8427e"]
    )
    func badDigest(_ query: String) async throws {
        let answer = try await registry.call("PUT", "\(begin())\(query)", text: "hello world")
        #expect(answer.status == 400)
        #expect(answer.code == "DIGEST_INVALID")
    }

    @Test("a range that does not fit the length is refused before a byte is taken")
    func sizeMismatch() async throws {
        let location = try await begin()
        let headers = ["content-range": "0-9", "content-length": "5"]
        let answer = await registry.call("PATCH", location, headers, text: "hello")
        #expect(answer.code == "SIZE_INVALID")
        #expect(await registry.call("GET", location).header("Range") == "0-0")
    }

    @Test("a cancelled upload, one of another repository, and one never begun are unknown")
    func unknownUploads() async throws {
        let location = try await begin()
        let elsewhere = location.replacing("shop/cart", with: "shop/web")
        #expect(await registry.call("PATCH", elsewhere, text: "x").code == "BLOB_UPLOAD_UNKNOWN")
        #expect(await registry.call("DELETE", location).status == 204)
        #expect(await registry.call("PATCH", location, text: "x").code == "BLOB_UPLOAD_UNKNOWN")
        let invented = "/v2/shop/cart/blobs/uploads/\(String(repeating: "a", count: 32))"
        #expect(await registry.call("GET", invented).status == 404)
        #expect(await registry.call("GET", "/v2/shop/cart/blobs/uploads/..").status == 404)
    }

    @Test("a blob is mounted from another repository, and uploaded where that one lacks it")
    func mounts() async throws {
        try await registry.pushBlob("hello world", to: "shop/web")
        let target = "/v2/shop/cart/blobs/uploads/?mount=\(Self.digest)"
        #expect(await registry.call("POST", "\(target)&from=shop/none").status == 202)
        #expect(await registry.call("POST", "\(target)&from=../x").code == "NAME_INVALID")
        #expect(await registry.call("GET", "/v2/shop/cart/blobs/\(Self.digest)").code == "BLOB_UNKNOWN")
        #expect(await registry.call("POST", "\(target)&from=shop/web").status == 201)
        await expectBlob()
        #expect(await registry.call("POST", target.replacing("cart", with: "third")).status == 201)
        await expectBlob(in: "shop/third")
    }

    @Test("at its start a store removes stale uploads and half-written files, and no others")
    func cleaning() async throws {
        let stale = try await begin()
        let fresh = try await begin()
        let id = String(stale.split(separator: "/").last ?? "")
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1000)],
            ofItemAtPath: "\(scratch.path)/uploads/\(id)"
        )
        try scratch.write("uploads/.new-1", "half")
        let next = try RegistryCalls(folder: scratch.path, staleBefore: Timestamp(seconds: 2000))
        #expect(await next.call("GET", stale).status == 404)
        #expect(await next.call("GET", fresh).status == 204)
        #expect(try Folder.names(in: "\(scratch.path)/uploads").count == 2)
    }

    @Test("an upload to which a write failed half-way cannot be finished")
    func failedWrite() async throws {
        let location = try await begin()
        _ = await registry.call("PATCH", location, text: "hello")
        let id = String(location.split(separator: "/").last ?? "")
        let handle = try #require(FileHandle(forWritingAtPath: "\(scratch.path)/uploads/\(id)"))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("?".utf8))  // bytes on disk that no acknowledged write explains
        let answer = await registry.call("PUT", "\(location)?digest=\(Self.digest)", text: " world")
        #expect(answer.code == "BLOB_UPLOAD_INVALID")
        #expect(try Folder.names(in: "\(scratch.path)/blobs/sha256") == [])
    }

    @Test(
        "a wrong digest is refused however the blob comes",
        arguments: ["post", "put", "chunks", "last chunk by put"]
    )
    func wrongDigestEveryWay(_ way: String) async throws {
        let wrong = ContentHash.digest(of: Array("hello".utf8))
        let answer: RegistryResponse
        switch way {
        case "post": answer = await registry.call("POST", "/v2/a/blobs/uploads/?digest=\(wrong)", text: "hello world")
        case "put": answer = try await registry.call("PUT", "\(begin("a"))?digest=\(wrong)", text: "hello world")
        default:
            let location = try await begin("a")
            let last = way == "chunks" ? "" : " world"
            let first = way == "chunks" ? "hello world" : "hello"
            _ = await registry.call("PATCH", location, ["content-range": "0-\(first.count - 1)"], text: first)
            answer = await registry.call("PUT", "\(location)?digest=\(wrong)", text: last)
        }
        #expect(answer.status == 400 && answer.code == "DIGEST_INVALID")
        #expect(await registry.call("HEAD", "/v2/a/blobs/\(wrong)").status == 404)
        #expect(try Folder.names(in: "\(scratch.path)/uploads") == [])
    }

    @Test("the empty blob is a blob")
    func emptyBlob() async throws {
        let digest = try await registry.pushBlob("", to: "a")
        let answer = await registry.call("GET", "/v2/a/blobs/\(digest)")
        #expect(answer.status == 200 && answer.contentLength == 0)
        #expect(await registry.call("GET", "/v2/a/blobs/\(digest)", ["range": "bytes=0-"]).status == 416)
    }
}
