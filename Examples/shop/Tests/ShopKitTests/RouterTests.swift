// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FlyingFox
import Testing

@testable import ShopKit

@Suite("router")
struct RouterTests {
    private let router = Router(routes: [
        Route("GET", "/") { _ in .plain("") }, Route("GET", "/a/{id}") { _ in .plain("") },
        Route("DELETE", "/a/{id}") { _ in .plain("") },
    ])

    private func find(_ method: String, _ path: String) -> String {
        switch router.find(method, path) {
        case .route(let route, let parameters): "\(route.method) \(route.template) \(parameters["id"] ?? "-")"
        case .otherMethods(let methods, _): "takes \(methods.joined(separator: " "))"
        case .nothing: "nothing"
        }
    }

    @Test(
        "method and path decide",
        arguments: [
            ("GET", "/", "GET / -"), ("HEAD", "/", "GET / -"), ("DELETE", "/a/x", "DELETE /a/{id} x"),
            ("GET", "/a/x%2Fy%20z", "GET /a/{id} x/y z"), ("POST", "/a/x", "takes GET DELETE"),
            ("GET", "/a/", "nothing"),
            ("GET", "/a", "nothing"), ("GET", "/a/x/", "nothing"), ("GET", "/a/%zz", "nothing"),
            ("GET", "//", "nothing"),
            ("GET", "/a/%ff", "nothing"), ("GET", "", "nothing"),
        ]
    )
    func finds(_ method: String, _ path: String, _ found: String) {
        #expect(find(method, path) == found)
    }

    @Test("forms are decoded")
    func forms() {
        #expect(PercentCoding.form("a=1&b=x+y%26z&c&a=2&=v") == ["a": "2", "b": "x y&z", "c": "", "": "v"])
        #expect(PercentCoding.form("a=%&b=%4") == [:])
    }

    @Test("encoding a segment and decoding it gives the same text", arguments: ["", "a b", "ü/%+&=?", "-._~", "日本"])
    func roundTrip(_ text: String) {
        #expect(PercentCoding.decoded(PercentCoding.encoded(text)) == text)
        #expect(PercentCoding.encoded(text).utf8.allSatisfy { $0 < 0x80 })
    }
}
