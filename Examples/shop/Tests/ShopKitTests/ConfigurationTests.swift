// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Testing

@testable import ShopKit

@Suite("configuration")
struct ConfigurationTests {
    @Test("without an environment the defaults hold, and an empty value is none")
    func defaults() throws {
        for environment in [[:], ["PORT": "", "VERSION": "", "MISBEHAVE": "", "DATA_DIR": ""]] {
            let configuration = try Configuration(app: "x", environment: environment, dataFolder: "/data")
            #expect(configuration.port == 8080)
            #expect(configuration.version == "dev")
            #expect(configuration.dataFolder == "/data")
            #expect(configuration.misbehaviour == Misbehaviour())
            #expect(try configuration.duration("UPSTREAM_TIMEOUT", default: "2s") == .seconds(2))
            #expect(try configuration.serviceURL("CART_URL", default: "http://cart:8080").host == "cart")
        }
    }

    @Test("all that is wrong is told at once, with the variable's name")
    func problems() throws {
        let error = try #require(throws: Configuration.Invalid.self) {
            try Configuration(app: "x", environment: ["PORT": "http", "MISBEHAVE": "errors=7"])
        }
        #expect(error.problems.count == 2)
        #expect(error.description.contains("PORT: 'http'"))
        #expect(error.description.contains("MISBEHAVE: errors: '7'"))
        let fine = try Configuration(app: "x", environment: ["T": "0s", "U": "ftp://x"])
        #expect(throws: Configuration.Invalid.self) { try fine.duration("T", default: "1s") }
        #expect(throws: Configuration.Invalid.self) { try fine.serviceURL("U", default: "http://x") }
    }
}
