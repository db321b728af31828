// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Synchronization

/// The figures of one process, in the text format that Prometheus reads (version 0.0.4).
public final class Metrics: Sendable {
    public enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// A set of series that share a name; every series has all of `labels`, in that order.
    struct Family: Sendable {
        let name: String
        let help: String
        let kind: Kind
        let labels: [String]
        var bounds: [Double] = []
        var values: [[String]: Double] = [:]
        var histograms: [[String]: Buckets] = [:]
        var read: (@Sendable () -> Double?)?
    }

    struct Buckets: Sendable {
        /// Not cumulative; one more than there are bounds.
        var counts: [UInt64]
        var sum = 0.0
    }

    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private let families = Mutex<[String: Family]>([:])

    public init() {}

    public func counter(_ name: String, _ help: String, labels: [String] = []) -> Counter {
        declare(Family(name: name, help: help, kind: .counter, labels: labels))
        return Counter(metrics: self, name: name)
    }

    public func histogram(_ name: String, _ help: String, labels: [String], bounds: [Double]) -> Histogram {
        declare(Family(name: name, help: help, kind: .histogram, labels: labels, bounds: bounds.sorted()))
        return Histogram(metrics: self, name: name)
    }

    /// `read` is called at each scrape; without a value the series is left out.
    public func reading(
        _ name: String,
        _ help: String,
        kind: Kind = .gauge,
        labels: KeyValuePairs<String, String> = [:],
        read: @escaping @Sendable () -> Double?
    ) {
        var family = Family(name: name, help: help, kind: kind, labels: labels.map(\.key))
        family.values[labels.map(\.value)] = 0
        family.read = read
        declare(family)
    }

    private func declare(_ family: Family) {
        families.withLock { families in
            precondition(families[family.name] == nil, "metric '\(family.name)' is declared twice")
            families[family.name] = family
        }
    }

    fileprivate func update(_ name: String, _ labels: [String], _ change: (inout Family) -> Void) {
        families.withLock { families in
            guard let index = families.index(forKey: name) else { return }
            let expected = families.values[index].labels
            precondition(expected.count == labels.count, "metric '\(name)' has labels \(expected)")
            change(&families.values[index])
        }
    }

    /// Everything, sorted, as a scrape sees it.
    public func exposition() -> String {
        let families = families.withLock { $0.values.sorted { $0.name < $1.name } }
        return families.map(\.exposition).joined()
    }
}

/// Only ever goes up.
public struct Counter: Sendable {
    let metrics: Metrics
    let name: String

    /// `by` may be 0, which makes the series appear before anything happened.
    public func increment(_ labels: [String] = [], by amount: Double = 1) {
        precondition(amount >= 0, "a counter never goes down")
        metrics.update(name, labels) { $0.values[labels, default: 0] += amount }
    }
}

/// Counts observations by size.
public struct Histogram: Sendable {
    let metrics: Metrics
    let name: String

    public func observe(_ value: Double, _ labels: [String]) {
        metrics.update(name, labels) { family in
            let bucket = family.bounds.firstIndex { value <= $0 } ?? family.bounds.count
            let empty = Metrics.Buckets(counts: Array(repeating: 0, count: family.bounds.count + 1))
            family.histograms[labels, default: empty].counts[bucket] += 1
            family.histograms[labels, default: empty].sum += value
        }
    }
}
