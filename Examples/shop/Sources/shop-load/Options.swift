// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ShopKit

/// What the command line asks for.
struct Options: Sendable, Equatable {
    var url = "http://127.0.0.1:8080"
    var path = "/"
    var method = "GET"
    var host: String?
    var body = ""
    /// Requests per second; 0 is as many as there can be.
    var rate = 50.0
    var duration = Duration.seconds(10)
    var concurrency = 8
    var timeout = Duration.seconds(5)
    /// Whether a request that is not answered, or with 5xx, makes the exit code 1.
    var failOnError = false
    var wantsHelp = false

    static let usage = """
        usage: shop-load [--url http://127.0.0.1:8080] [--host shop.localhost] [--path /] [--method GET] [--body TEXT]
                         [--rate 50] [--duration 10s] [--concurrency 8] [--timeout 5s] [--fail-on-error]

        Sends requests at a steady rate and prints the answers by code and the latency's percentiles. A rate of 0 means
        as fast as the connections allow. Latency counts from the moment at which a request was due, so a server that
        stalls cannot hide behind requests that were never sent. --fail-on-error: exit code 1 when any request had no
        answer or a 5xx one.

        """

    struct Invalid: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    init(_ arguments: [String]) throws(Invalid) {
        var rest = arguments[...]
        while let flag = rest.popFirst() {
            switch flag {
            case "--help", "-h": wantsHelp = true
            case "--fail-on-error": failOnError = true
            default: try set(flag, to: rest.popFirst())
            }
        }
    }

    private mutating func set(_ flag: String, to value: String?) throws(Invalid) {
        guard
            ["--url", "--host", "--path", "--method", "--body", "--rate", "--duration", "--concurrency", "--timeout"]
                .contains(flag)
        else { throw Invalid(description: "unknown flag '\(flag)'") }
        guard let value else { throw Invalid(description: "\(flag) needs a value") }
        func invalid(_ expected: String) -> Invalid { Invalid(description: "\(flag): '\(value)' is not \(expected)") }
        switch flag {
        case "--url": url = value
        case "--host": host = value
        case "--path":
            guard value.hasPrefix("/"), value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw invalid("a path")
            }
            path = value
        case "--method":
            guard !value.isEmpty, value.allSatisfy({ $0.isASCII && $0.isLetter }) else { throw invalid("a method") }
            method = value.uppercased()
        case "--body": body = value
        case "--rate":
            guard let number = Double(value), number >= 0, number <= 1e6 else { throw invalid("a rate per second") }
            rate = number
        case "--concurrency":
            guard let number = Int(value), (1...4096).contains(number) else { throw invalid("a number from 1 to 4096") }
            concurrency = number
        default:
            guard let length = Duration(quantity: value), length > .zero else {
                throw invalid("a duration, such as 10s")
            }
            if flag == "--duration" { duration = length } else { timeout = length }
        }
    }
}
