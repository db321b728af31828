// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Foundation
import Model
import Testing

@testable import ImageStore

@Suite("manifests in the registry")
struct ManifestTests {
    let scratch: Scratch
    let registry: RegistryCalls

    init() throws {
        scratch = try Scratch()
        registry = try RegistryCalls(folder: scratch.path)
    }

    private func put(_ document: JSON, type: String? = nil) async -> RegistryResponse {
        await registry.call(
            "PUT",
            "/v2/a/manifests/1",
            type.map { ["content-type": $0] } ?? [:],
            text: document.text
        )
    }

    private func descriptor(_ digest: Digest, size: Int, urls: [JSON] = []) -> JSON {
        [
            "mediaType": .string(MediaType.layer), "digest": .string("\(digest)"), "size": JSON(size),
            "urls": .array(urls),
        ]
    }

    @Test("a manifest whose layer the repository lacks is refused, also when another one has it")
    func missingBlob() async throws {
        let config = try await registry.pushBlob("{}", to: "a")
        let layer = try await registry.pushBlob("layer", to: "b")
        let document: JSON = [
            "schemaVersion": 2, "config": descriptor(config, size: 2), "layers": [descriptor(layer, size: 5)],
        ]
        let answer = await put(document, type: MediaType.manifest)
        #expect(answer.status == 400)
        #expect(answer.code == "MANIFEST_BLOB_UNKNOWN")
        #expect(await registry.call("GET", "/v2/a/manifests/1").status == 404)
        let foreign: JSON = [
            "schemaVersion": 2, "config": descriptor(config, size: 2),
            "layers": [descriptor(layer, size: 5, urls: ["https://example.com/layer"])],
        ]
        #expect(await put(foreign, type: MediaType.manifest).status == 201)
    }

    @Test("a size that is not the blob's is refused")
    func wrongSize() async throws {
        let config = try await registry.pushBlob("{}", to: "a")
        let answer = await put(["schemaVersion": 2, "config": descriptor(config, size: 3), "layers": []])
        #expect(answer.code == "MANIFEST_INVALID")
    }

    @Test("an index needs its manifests")
    func index() async throws {
        let image = try await registry.pushImage("one", to: "a", as: "digest")
        func index(_ digest: Digest) -> JSON {
            [
                "schemaVersion": 2, "mediaType": .string(MediaType.index),
                "manifests": [
                    ["mediaType": .string(MediaType.manifest), "digest": .string("\(digest)"), "size": 9]
                ],
            ]
        }
        #expect(await put(index(ContentHash.digest(of: [])), type: MediaType.index).code == "MANIFEST_BLOB_UNKNOWN")
        #expect(await put(index(image.digest), type: MediaType.index).status == 201)
        #expect(await registry.call("GET", "/v2/a/manifests/1").header("Content-Type") == MediaType.index)
    }

    @Test(
        "what is no manifest is refused",
        arguments: ["", "{", "[]", "{}", #"{"schemaVersion":1}"#, #"{"schemaVersion":2}"#]
    )
    func noManifest(_ text: String) async {
        let answer = await registry.call("PUT", "/v2/a/manifests/1", ["content-type": MediaType.manifest], text: text)
        #expect(answer.status == 400)
        #expect(answer.code == "MANIFEST_INVALID")
    }

    @Test("a manifest that calls itself something else than the request is refused")
    func typeMismatch() async throws {
        let document: JSON = ["schemaVersion": 2, "mediaType": .string(MediaType.index), "manifests": []]
        #expect(await put(document, type: MediaType.manifest).code == "MANIFEST_INVALID")
        #expect(await put(document, type: "text/plain").code == "MANIFEST_INVALID")
        #expect(await put(document, type: "application/json").status == 201)
    }

    @Test("a manifest put under a digest must have it, and a large one is refused")
    func digestAndSize() async throws {
        let wrong = ContentHash.digest(of: [])
        let answer = await registry.call("PUT", "/v2/a/manifests/\(wrong)", text: #"{"schemaVersion":2}"#)
        #expect(answer.code == "DIGEST_INVALID")
        let large = Pieces([[UInt8]](repeating: [UInt8](repeating: 0x20, count: 1 << 20), count: 5))
        #expect(await registry.call("PUT", "/v2/a/manifests/1", body: large).code == "SIZE_INVALID")
    }

    @Test("deleting a tag leaves the manifest; deleting the manifest takes its tags along")
    func deletion() async throws {
        let image = try await registry.pushImage("one", to: "a", as: "1")
        try await registry.pushImage("one", to: "a", as: "also")
        try await registry.pushImage("two", to: "a", as: "other")
        #expect(await registry.call("DELETE", "/v2/a/manifests/1").status == 202)
        #expect(await registry.call("DELETE", "/v2/a/manifests/1").code == "MANIFEST_UNKNOWN")
        #expect(await registry.call("GET", "/v2/a/manifests/\(image.digest)").status == 200)
        #expect(await registry.call("DELETE", "/v2/a/manifests/\(image.digest)").status == 202)
        #expect(await registry.call("GET", "/v2/a/manifests/\(image.digest)").status == 404)
        #expect(await registry.call("GET", "/v2/a/manifests/also").status == 404)
        #expect(await registry.call("GET", "/v2/a/tags/list").document == #"{"name":"a","tags":["other"]}"#)
    }

    @Test("referrers of a subject are listed, by type, also before the subject is there")
    func referrers() async throws {
        let subject = ContentHash.digest(of: Array("later".utf8))
        let one = try await registry.pushImage("one", to: "a", as: "digest", subject: subject, type: "text/sbom")
        try await registry.pushImage("two", to: "a", as: "digest", subject: subject)
        let all = await registry.call("GET", "/v2/a/referrers/\(subject)")
        #expect(all.status == 200)
        #expect(all.header("Content-Type") == MediaType.index)
        #expect(try JSON(parsing: all.document)["manifests"]?.array?.count == 2)
        let some = await registry.call("GET", "/v2/a/referrers/\(subject)?artifactType=text/sbom")
        #expect(some.header("OCI-Filters-Applied") == "artifactType")
        let listed = try JSON(parsing: some.document)["manifests"]
        #expect(listed?.array?.count == 1)
        #expect(listed?[0]?["digest"]?.string == "\(one.digest)")
        #expect(listed?[0]?["artifactType"] == "text/sbom")
        #expect(await registry.call("DELETE", "/v2/a/manifests/\(one.digest)").status == 202)
        let rest = await registry.call("GET", "/v2/a/referrers/\(subject)")
        #expect(try JSON(parsing: rest.document)["manifests"]?[0]?["artifactType"]?.string == MediaType.configuration)
        #expect(await registry.call("GET", "/v2/none/referrers/\(subject)").status == 200)
    }

    @Test("a manifest put under its digest takes tags along as parameters")
    func tagParameters() async throws {
        let image = try await registry.pushImage("one", to: "a", as: "digest")
        let target = "/v2/a/manifests/\(image.digest)"
        let answer = await registry.call("PUT", "\(target)?tag=x&tag=y", text: image.text)
        #expect(answer.status == 201)
        #expect(answer.headers.filter { $0.name == "OCI-Tag" }.map(\.value) == ["x", "y"])
        #expect(await registry.call("GET", "/v2/a/tags/list").document == #"{"name":"a","tags":["x","y"]}"#)
        #expect(await registry.call("PUT", "\(target)?tag=../z", text: image.text).code == "TAG_INVALID")
    }

    @Test("documents at the edges of the specification are kept as they are")
    func edges() async throws {
        let config = try await registry.pushBlob("{}", to: "a")
        let empty: JSON = [
            "mediaType": "application/vnd.oci.empty.v1+json", "digest": .string("\(config)"), "size": 2, "data": "e30=",
        ]
        var documents: [JSON] = [
            ["schemaVersion": 2, "mediaType": .string(MediaType.manifest), "config": empty, "layers": []],
            ["schemaVersion": 2, "mediaType": .string(MediaType.index), "manifests": []],
            [
                "schemaVersion": 2, "mediaType": .string(MediaType.manifest), "artifactType": "a/b", "config": empty,
                "layers": [empty], "org.example": ["unknown": [1.50, .null]],
            ],
        ]
        // Nearly 4 MiB of annotations.
        documents[0]["annotations"] = JSON(
            Dictionary(uniqueKeysWithValues: (0..<390).map { ("k\($0)", String(repeating: "A", count: 10_000)) })
        )
        for document in documents {
            let type = document["mediaType"]?.string
            #expect(await put(document, type: type).status == 201)
            #expect(await registry.call("GET", "/v2/a/manifests/1").document == document.text)
        }
        let nested: JSON = [
            "schemaVersion": 2, "mediaType": .string(MediaType.index),
            "manifests": [
                [
                    "mediaType": .string(MediaType.index), "size": JSON(documents[1].bytes.count),
                    "digest": .string("\(ContentHash.digest(of: documents[1].bytes))"),
                ]
            ],
        ]
        #expect(await put(nested, type: MediaType.index).status == 201)
    }
}
