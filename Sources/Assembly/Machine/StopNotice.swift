// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CommandLine
import Foundation
import Model
import PodRuntime

/// Tells which pods a stop waits for: the terminal of `up`, and through a file the one of `ballast down`.
struct StopNotice: Sendable {
    /// Is there while pods are stopping.
    let path: String

    func tell(_ progress: StopProgress) {
        switch progress {
        case .begun(let pods, let limit):
            let record = StopRecord(pods: pods, limit: limit)
            Terminal.note(record.beginning + "; Ctrl-C again kills them")
            record.write(to: path)
        case .waiting(let pods):
            let record = StopRecord(pods: pods, limit: .zero)
            if Terminal.isInteractive { Terminal.note(record.rest) }
            record.write(to: path)
        case .ended: clear()
        }
    }

    /// A killed `up` may have left its file.
    func clear() { try? FileManager.default.removeItem(atPath: path) }
}

/// The pods that a stop waits for, as it is written down for other processes.
struct StopRecord: Sendable, Hashable {
    var pods: [String]
    /// How long the slowest may take, from the beginning.
    var limit: Duration

    private static let namesShown = 6

    var beginning: String {
        let count = pods.count == 1 ? "1 pod" : "\(pods.count) pods"
        return "stopping \(count): \(names) (up to \(limit.components.seconds) s)"
    }

    var rest: String { "still running: \(names)" }

    private var names: String {
        let shown = pods.prefix(Self.namesShown).joined(separator: ", ")
        let others = pods.count - Self.namesShown
        return others > 0 ? "\(shown) and \(others) more" : shown
    }

    /// What cannot be written is not told; the stop goes on.
    func write(to path: String) {
        let json: JSON = [
            "pods": .array(pods.map { .string($0) }), "seconds": JSON(Int(limit.components.seconds)),
        ]
        try? Data(json.bytes).write(to: URL(filePath: path), options: .atomic)
    }

    static func read(from path: String) -> StopRecord? {
        guard let data = FileManager.default.contents(atPath: path), let json = try? JSON(parsing: data),
            let pods = json["pods"]?.array?.compactMap(\.string)
        else { return nil }
        return StopRecord(pods: pods, limit: .seconds(json["seconds"]?.int ?? 0))
    }
}
