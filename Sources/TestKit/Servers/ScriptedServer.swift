// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// An HTTP server on loopback whose answers a test writes as values; every request has a connection of its own.
///
/// It ends with the value.
package final class ScriptedServer: Sendable {
    package struct Answer: Sendable {
        package var status: Int
        package var headers: [(String, String)]
        package var body: String
        /// Closes the connection instead of answering.
        package var hangsUp: Bool

        package init(status: Int, headers: [(String, String)] = [], body: String = "", hangsUp: Bool = false) {
            self.status = status
            self.headers = headers
            self.body = body
            self.hangsUp = hangsUp
        }

        fileprivate func text(for method: String) -> String {
            var text = "HTTP/1.1 \(status) Scripted\r\nConnection: close\r\n"
            for (name, value) in headers { text += "\(name): \(value)\r\n" }
            text += "Content-Length: \(body.utf8.count)\r\n\r\n"
            return method == "HEAD" ? text : text + body
        }
    }

    private let server: WireServer

    package var port: Int { server.port }
    package var host: String { server.host }
    /// All requests so far, in order.
    package var requests: [WireRequest] { server.requests }
    /// All requests so far as `METHOD target`.
    package var lines: [String] { server.lines }

    /// `answer` is called for each request with its place in the order of arrival.
    package init(_ answer: @escaping @Sendable (WireRequest, Int) -> Answer) throws {
        server = try WireServer { request, wire in
            let answer = answer(request, request.place)
            if !answer.hangsUp { wire.send(answer.text(for: request.method)) }
            return false
        }
    }
}
