// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import HTTPTypes
import Hummingbird
import NIOCore

/// Refuses requests that a foreign web page could make a browser send: every listener checks Host and Origin.
package struct HostGuard: Sendable {
    /// Host names and addresses, without port, under which this listener is known.
    let names: Set<String>

    package init(names: some Sequence<String>) {
        self.names = Set(names.map { $0.lowercased() }).union(["localhost", "127.0.0.1", "::1"])
    }

    /// The answer to a request that came under a wrong name; `nil` where all is well.
    func refusal(of request: HTTPRequest) -> Response? {
        let authority = request.authority ?? ""
        guard names.contains(Self.host(of: authority)) else {
            return refuse(.misdirectedRequest, "this listener is not known as '\(authority)'")
        }
        guard let origin = request.headerFields[.origin] else { return nil }
        let parts = origin.split(separator: "/", omittingEmptySubsequences: true)
        guard parts.count == 2, names.contains(Self.host(of: String(parts[1]))) else {
            return refuse(.forbidden, "requests from the origin '\(origin)' are not accepted")
        }
        return nil
    }

    private func refuse(_ status: HTTPResponse.Status, _ message: String) -> Response {
        Response(
            status: status,
            headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: message + "\n"))
        )
    }

    /// The host of `host`, `host:port`, `[v6]` or `[v6]:port`, in lower case.
    static func host(of authority: String) -> String {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return authority[authority.index(after: authority.startIndex)..<end].lowercased()
        }
        return authority.prefix { $0 != ":" }.lowercased()
    }
}
