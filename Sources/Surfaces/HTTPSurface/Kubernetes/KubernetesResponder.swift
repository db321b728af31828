// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import HTTPTypes
package import Hummingbird
import HummingbirdCore
package import KubeServer
import Model
import NIOCore
import NIOSSL
import ServiceLifecycle

/// Serves the Kubernetes API over HTTP: turns requests into `APIRequest` and back, and decides nothing.
package struct KubernetesResponder: HTTPResponder {
    /// What a request brings beside itself: the connection, which knows the client's certificate.
    package struct Context: InitializableFromSource {
        let channel: any Channel
        package init(source: ApplicationRequestContextSource) { channel = source.channel }
    }

    /// In bytes; the real server's limit.
    private static let bodyLimit = 3 << 20

    let answer: @Sendable (APIRequest) async -> APIResponse
    let identities: ClientIdentities
    let hosts: HostGuard
    /// Decides which requests become connections into pods.
    let gate: ConnectionGate

    package init(
        hosts: HostGuard,
        answer: @escaping @Sendable (APIRequest) async -> APIResponse,
        connect: @escaping @Sendable (APIRequest) async -> ConnectionAnswer
    ) {
        self.answer = answer
        self.hosts = hosts
        identities = ClientIdentities()
        gate = ConnectionGate(hosts: hosts, identities: identities, connect: connect)
    }

    package func respond(to request: Request, context: Context) async throws -> Response {
        if let refusal = hosts.refusal(of: request.head) { return refusal }
        var user: APIUser?
        // As the real server does, a token may still say who it is; an empty one is nobody's, which is refused.
        var bearer = Credentials.bearer(request.headers)
        do {
            user = try await identities.user(of: context.channel)
        } catch {
            bearer = bearer ?? ""
        }
        let body: [UInt8]
        do {
            body = try await Self.body(of: request)
        } catch {
            return Self.tooLarge()
        }
        let answer = await answer(Self.apiRequest(request.head, body: body, user: user, bearer: bearer))
        return Self.response(answer, to: request)
    }

    private static func body(of request: Request) async throws -> [UInt8] {
        guard request.method != .get, request.method != .head else { return [] }
        var bytes: [UInt8] = []
        for try await chunk in request.body {
            bytes.append(contentsOf: chunk.readableBytesView)
            if bytes.count > bodyLimit { throw Failure(.invalidInput, "request body too large") }
        }
        return bytes
    }

    static func apiRequest(_ request: HTTPRequest, body: [UInt8], user: APIUser?, bearer: String?) -> APIRequest {
        let uri = URI(request.path ?? "/")
        let headers = request.headerFields
        return APIRequest(
            method: request.method.rawValue,
            path: QueryText.decoded(uri.path),
            query: QueryText.parameters(uri.query ?? ""),
            accept: headers[.accept] ?? "",
            takesGzip: takesGzip(headers[.acceptEncoding] ?? ""),
            contentType: headers[.contentType] ?? "",
            userAgent: headers[.userAgent] ?? "",
            body: body,
            user: user,
            bearer: bearer,
            impersonation: Credentials.impersonation(headers),
            upgrade: headers[.upgrade] ?? ""
        )
    }

    /// `gzip`, alone or in a list, unless its weight is zero.
    private static func takesGzip(_ acceptEncoding: String) -> Bool {
        acceptEncoding.split(separator: ",").contains { entry in
            let parts = entry.lowercased().split { $0 == ";" || $0.isWhitespace }
            return parts.first == "gzip"
                && !parts.dropFirst().contains { $0.hasPrefix("q=0") && Double($0.dropFirst(2)) == 0 }
        }
    }

    private static func response(_ answer: APIResponse, to request: Request) -> Response {
        var headers: HTTPFields = [.contentType: answer.contentType, .cacheControl: "no-cache, private"]
        for warning in answer.warnings {
            guard let name = HTTPField.Name("Warning") else { break }
            let quoted = warning.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
                .replacing("\n", with: " ").replacing("\r", with: " ")
            headers.append(HTTPField(name: name, value: "299 - \"\(quoted)\""))
        }
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
        }
        // Behind a request for another protocol nothing more is read, so that the next one needs a new connection.
        if request.headers[.upgrade] != nil { headers[.connection] = "close" }
        let status = HTTPResponse.Status(code: answer.status)
        switch answer.body {
        case .bytes(let bytes):
            return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        case .stream(let stream):
            return Response(status: status, headers: headers, body: streamed(stream, to: request.body))
        }
    }

    /// Sends chunks as they come, until the stream ends, the client leaves or the server stops.
    private static func streamed(
        _ stream: AsyncThrowingStream<[UInt8], any Error>,
        to request: RequestBody
    ) -> ResponseBody {
        ResponseBody { writer in
            // The head goes out at once: clients of a quiet watch wait for it.
            try await writer.write(ByteBuffer())
            let sink = WriterBox(writer)
            try await request.consumeWithCancellationOnInboundClose { _ in
                for try await chunk in stream.cancelOnGracefulShutdown() {
                    try await sink.write(chunk)
                }
            }
            try await writer.finish(nil)
        }
    }

    private static func tooLarge() -> Response {
        let status: JSON = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure",
            "message": "Request entity too large: limit is 3145728", "reason": "RequestEntityTooLarge", "code": 413,
        ]
        return Response(
            status: .contentTooLarge,
            headers: [.contentType: "application/json", .connection: "close"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: status.bytes))
        )
    }
}

/// Lets the one task that writes a response hand its writer into a child task.
///
/// Proof of `@unchecked Sendable`: the parent task awaits the child and touches the writer only after it ended.
private final class WriterBox: @unchecked Sendable {
    private var writer: any ResponseBodyWriter
    init(_ writer: any ResponseBodyWriter) { self.writer = writer }
    func write(_ bytes: [UInt8]) async throws { try await writer.write(ByteBuffer(bytes: bytes)) }
}
