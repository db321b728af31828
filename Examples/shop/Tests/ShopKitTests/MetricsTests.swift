// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Testing

@testable import ShopKit

@Suite("metrics")
struct MetricsTests {
    @Test("counters, gauges and histograms are written as Prometheus reads them")
    func exposition() {
        let metrics = Metrics()
        let requests = metrics.counter("requests_total", "All requests.", labels: ["path"])
        requests.increment(["/b"])
        requests.increment(["/a"], by: 2)
        let sizes = metrics.histogram("size", "Sizes.", labels: ["app"], bounds: [1, 0.5])
        for size in [0.5, 0.7, 1, 3] { sizes.observe(size, ["x"]) }
        metrics.reading("depth", "How deep.") { 1.5 }
        metrics.reading("gone", "Not there.") { nil }
        #expect(
            metrics.exposition() == """
                # HELP depth How deep.
                # TYPE depth gauge
                depth 1.5
                # HELP gone Not there.
                # TYPE gone gauge
                # HELP requests_total All requests.
                # TYPE requests_total counter
                requests_total{path="/a"} 2
                requests_total{path="/b"} 1
                # HELP size Sizes.
                # TYPE size histogram
                size_bucket{app="x",le="0.5"} 1
                size_bucket{app="x",le="1"} 3
                size_bucket{app="x",le="+Inf"} 4
                size_sum{app="x"} 5.2
                size_count{app="x"} 4

                """
        )
    }

    @Test("label values and help texts are escaped")
    func escaping() {
        let metrics = Metrics()
        metrics.counter("c_total", "a\\b\n\"c\"", labels: ["l"]).increment(["a\\b\n\"c\""])
        #expect(metrics.exposition().contains(#"# HELP c_total a\\b\n"c""#))
        #expect(metrics.exposition().contains(#"c_total{l="a\\b\n\"c\""} 1"#))
    }

    @Test("numbers keep their value")
    func numbers() {
        let cases: [(Double, String)] = [
            (0, "0"), (1e14, "100000000000000"), (0.1, "0.1"), (1e20, "1e+20"), (.infinity, "+Inf"), (.nan, "NaN"),
        ]
        for (value, text) in cases { #expect(Metrics.Family.number(value) == text) }
    }

    @Test("the process tells its memory, time and descriptors")
    func process() throws {
        let metrics = Metrics()
        ProcessFigures.register(in: metrics)
        let lines = metrics.exposition().split(separator: "\n")
        func value(_ name: String) throws -> Double {
            try #require(lines.first { $0.hasPrefix(name + " ") }?.split(separator: " ").last.flatMap { Double($0) })
        }
        #expect(try value("process_resident_memory_bytes") > 1_000_000)
        #expect(try value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"))
        #expect(try value("process_open_fds") >= 3)
        #expect(try value("process_max_fds") > 3)
        #expect(try value("process_start_time_seconds") > 1_700_000_000)
        #expect(lines.contains("# TYPE process_cpu_seconds_total counter"))
    }
}
