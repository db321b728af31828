// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import HTTPTypes
package import Hummingbird
package import ImageStore
import NIOCore

/// Serves the OCI distribution API over HTTP: turns requests into `RegistryRequest` and back, and decides nothing.
///
/// Bodies stream in both directions, so memory does not grow with a blob.
package struct RegistryResponder: HTTPResponder {
    /// A request brings nothing beside itself.
    package struct Context: InitializableFromSource {
        package init(source: ApplicationRequestContextSource) {}
    }

    let service: RegistryService
    let hosts: HostGuard

    package init(_ service: RegistryService, hosts: HostGuard) {
        self.service = service
        self.hosts = hosts
    }

    package func respond(to request: Request, context: Context) async throws -> Response {
        if let refusal = hosts.refusal(of: request.head) { return refusal }
        return Self.response(await service.respond(to: Self.registryRequest(request)), to: request)
    }

    private static func registryRequest(_ request: Request) -> RegistryRequest {
        var headers: [String: String] = [:]
        for field in request.headers {
            let name = field.name.canonicalName
            headers[name] = headers[name].map { "\($0), \(field.value)" } ?? field.value
        }
        return RegistryRequest(
            method: request.method.rawValue,
            path: QueryText.decoded(request.uri.path),
            query: QueryText.parameters(request.uri.query ?? ""),
            headers: headers,
            body: request.body.map { Array($0.readableBytesView) }
        )
    }

    private static func response(_ answer: RegistryResponse, to request: Request) -> Response {
        var headers = HTTPFields()
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
        }
        let response = Response(
            status: HTTPResponse.Status(code: answer.status),
            headers: headers,
            body: body(of: answer)
        )
        return request.method == .head ? response.createHeadResponse() : response
    }

    private static func body(of answer: RegistryResponse) -> ResponseBody {
        switch answer.body {
        case .bytes(let bytes): ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        case .blob(let blob, let range):
            ResponseBody(contentLength: range.count) { writer in
                for try await piece in blob.chunks(in: range) { try await writer.write(ByteBuffer(bytes: piece)) }
                try await writer.finish(nil)
            }
        }
    }
}
