// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@Suite("values of the Kubernetes API")
struct ValueTests {
    @Test(arguments: [
        ("0.1", "100m"), ("1024Mi", "1Gi"), ("1e3", "1e3"), ("100m", "100m"), ("1500m", "1500m"), ("2.5Gi", "2560Mi"),
        ("128Mi", "128Mi"), ("0", "0"), ("1000k", "1M"), ("-5", "-5"), ("12e6", "12e6"), ("0.5Ki", "512"),
        ("9Ei", "9223372036854775807"), ("-10E", "-9223372036854775807"),
        ("999999999999999999999Ei", "9223372036854775807"),
    ])
    func quantitiesBecomeCanonical(_ text: String, _ canonical: String) {
        #expect(Quantity(text)?.description == canonical)
    }

    @Test(arguments: ["", "1.2.3", "Mi", "1MiB", "1 Gi", "--1", "1e", ".", "1e-9223372036854775808"])
    func refusesWhatIsNoQuantity(_ text: String) { #expect(Quantity(text) == nil) }

    @Test(arguments: [
        ("2026-11-23T14:06:43Z", Int64(1_795_442_803)), ("1970-01-01T00:00:00Z", 0),
        ("2000-02-29T23:59:59+01:00", 951_865_199),
        ("1969-12-31T23:59:59Z", -1),
    ])
    func momentsAreReadAndWritten(_ text: String, _ seconds: Int64) {
        #expect(Timestamp(text)?.seconds == seconds)
        #expect(Timestamp(Timestamp(seconds: seconds).description)?.seconds == seconds)
    }

    @Test(arguments: [
        ("2999-01-01T00:00:00Z", 32_472_144_000), ("9999-12-31T23:59:59Z", 253_402_300_799),
        ("0001-01-01T00:00:00Z", -62_135_596_800), ("1500-03-01T00:00:00Z", -14_826_672_000),
    ])
    func yearsFarAwayAreReadAndWritten(_ text: String, _ seconds: Int64) {
        #expect(Timestamp(text)?.seconds == seconds)
        #expect(Timestamp(seconds: seconds).description == text)
        #expect(Timestamp(text)?.hasCommonYear == true)
    }

    @Test func spansBeyondWhatNanosecondsOf64BitsHoldAreExact() throws {
        let early = try #require(Timestamp("0001-01-01T00:00:00.5Z"))
        let late = try #require(Timestamp("9999-12-31T23:59:59Z"))
        #expect(late - early == .seconds(315_537_897_598) + .milliseconds(500))
        #expect(early + (late - early) == late && late + (early - late) == early && early < late)
    }

    @Test(arguments: ["2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2100-02-29T00:00:00Z", "2026-01-00T00:00:00Z"])
    func daysThatAMonthLacksAreRefused(_ text: String) { #expect(Timestamp(text) == nil) }

    @Test func fractionsOfSecondsAreKept() {
        #expect(Timestamp("2026-01-02T03:04:05.123456789Z")?.nanoText == "2026-01-02T03:04:05.123456789Z")
        #expect(Timestamp("2026-01-02T03:04:05.5Z")?.microText == "2026-01-02T03:04:05.500000Z")
    }

    @Test func imageNamesAreReadAsEveryClientDoes() {
        #expect(ImageReference("nginx")?.description == "docker.io/library/nginx")
        #expect(ImageReference("nginx")?.selector == "latest")
        let full = "localhost:5000/shop/cart:1@sha256:" + String(repeating: "a", count: 64)
        #expect(ImageReference(full)?.description == full)
        #expect(ImageReference("UPPER/case") == nil)
        #expect(ImageReference("a//b") == nil)
        #expect(ImageReference("a:b:c") == nil)
        #expect(ImageReference("") == nil)
    }
}
