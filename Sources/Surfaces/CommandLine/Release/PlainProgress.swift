// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Releases

/// Progress as plain lines on stderr.
package struct PlainProgress: ReleaseProgress {
    package init() {}

    package func report(_ event: ReleaseEvent) async {
        if let line = Self.line(for: event) { Terminal.note(line) }
    }

    /// `nil` for what another event says in words.
    static func line(for event: ReleaseEvent) -> String? {
        switch event {
        case .health, .diagnosed: nil
        case .started(let app, let number): "release \(app) \(number)"
        case .stageStarted(let stage): "\(stage.rawValue):"
        case .output(let step, let line): "  [\(step)] \(line)"
        case .note(let text): "  \(text)"
        case .waiting(let text): "  \(text)"
        case .stageEnded(let stage, let took): "\(stage.rawValue): done in \(time(took))"
        case .stageFailed(let stage, let took): "\(stage.rawValue): failed after \(time(took))"
        }
    }

    /// "340 ms", "12.3 s", "2 m 05 s".
    static func time(_ duration: Duration) -> String {
        let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        if milliseconds < 1000 { return "\(milliseconds) ms" }
        let tenths = milliseconds / 100
        if tenths < 600 { return "\(tenths / 10).\(tenths % 10) s" }
        let seconds = milliseconds / 1000
        return "\(seconds / 60) m \(seconds % 60 < 10 ? "0" : "")\(seconds % 60) s"
    }
}
