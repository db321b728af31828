// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Releases

/// What a terminal shows of a release: text to write at each event. It knows no clock and no terminal.
///
/// Finished stages and notes stay; below them one status line is rewritten in place, in a single write, so nothing flickers.
/// Output of commands shows only as that line's end: the whole of it is kept with the release, and a failure prints its tail.
struct ReleaseView {
    /// Columns of the terminal, which may be resized between two events.
    var width: Int { didSet { width = max(20, width) } }
    private let hasColour: Bool
    private var title = ""
    private var stage: Stage?
    private var stageStart = Duration.zero
    private var current = ""
    private var isShown = false

    private static let clearLine = "\r\u{1B}[K"
    private static let hideCursor = "\u{1B}[?25l"
    private static let showCursor = "\u{1B}[?25h"

    init(width: Int, hasColour: Bool = false) {
        self.width = max(20, width)
        self.hasColour = hasColour
    }

    mutating func take(_ event: ReleaseEvent, at now: Duration) -> String {
        switch event {
        case .started(let app, let number):
            title = "\(app) \(number)"
            return line("release \(title)", at: now)
        case .stageStarted(let stage):
            (self.stage, stageStart, current) = (stage, now, "")
            return repaint(at: now)
        case .output(let step, let text):
            current = "[\(step)] \(text)"
            return repaint(at: now)
        case .note(let text):
            current = ""
            return line("  \(text)", at: now)
        case .waiting(let text):
            current = text
            return repaint(at: now)
        case .stageEnded(let stage, let took):
            self.stage = nil
            return line("✓", .green, "\(stage.rawValue) \(PlainProgress.time(took))", at: now)
        case .stageFailed(let stage, let took):
            // What follows is told by further notes, with the stage's line below them as long as that takes.
            current = ""
            return line("✗", .red, "\(stage.rawValue) \(PlainProgress.time(took))", at: now)
        }
    }

    /// The status line anew, for the time that passed.
    mutating func repaint(at now: Duration) -> String {
        guard let stage else { return "" }
        let seconds = (now - stageStart).components.seconds
        let status = "\(stage.rawValue) \(seconds) s" + (current.isEmpty ? "" : "  \(current)")
        defer { isShown = true }
        return (isShown ? "" : Self.hideCursor) + Self.clearLine + Self.fitting(status, width - 1)
    }

    mutating func end() -> String {
        defer { isShown = false }
        return isShown ? Self.clearLine + Self.showCursor : ""
    }

    /// A line that stays, begun by a mark in colour.
    private mutating func line(_ mark: String, _ colour: Terminal.Colour, _ text: String, at now: Duration) -> String {
        let mark = hasColour ? colour.paint(mark) : mark
        return (isShown ? Self.clearLine : "") + mark + " " + Self.printable(text) + "\r\n" + repaint(at: now)
    }

    /// A line that stays, with the status line below it.
    private mutating func line(_ text: String, at now: Duration) -> String {
        (isShown ? Self.clearLine : "") + Self.printable(text) + "\r\n" + repaint(at: now)
    }

    /// A status line that wraps would leave its first half behind at the next repaint.
    private static func fitting(_ text: String, _ width: Int) -> String {
        let text = printable(text)
        guard text.unicodeScalars.contains(where: { !$0.isASCII }) else { return String(text.prefix(width)) }
        // Wide letters take two columns.
        var columns = 0
        return String(
            text.prefix { letter in
                columns += letter.unicodeScalars.contains { $0.value >= 0x1100 } ? 2 : 1
                return columns <= width
            }
        )
    }

    /// Commands colour their output and move the cursor; none of that may reach the view.
    static func printable(_ text: String) -> String {
        var result = ""
        var scalars = text.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            if scalar == "\u{1B}" {
                guard scalars.next() == "[" else { continue }
                while let next = scalars.next(), !(0x40...0x7E).contains(next.value) {}
            } else if scalar == "\t" {
                result += " "
            } else if scalar.value >= 0x20, scalar.value != 0x7F, !(0x80...0x9F).contains(scalar.value) {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
