// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Releases

/// What a terminal shows of a release: text to write at each event. It knows no clock and no terminal.
///
/// Finished stages and notes stay; below them a status line, and where several objects are awaited a line for each of
/// them, are rewritten in place, in a single write, so nothing flickers. Output of commands shows only as the status line's
/// end: the whole of it is kept with the release, and a failure prints its tail.
struct ReleaseView {
    /// Columns of the terminal, which may be resized between two events.
    var width: Int { didSet { width = max(20, width) } }
    /// Its rows.
    var height: Int
    private let hasColour: Bool
    /// The time of day at zero; without it no line says how much of a grace is left.
    private let start: Timestamp?
    private var title = ""
    private var stage: Stage?
    private var stageStart = Duration.zero
    private var current = ""
    private var board = AwaitedBoard()
    /// The columns of each line of the block that is on the screen.
    private var shown: [Int] = []

    private static let clearLine = "\r\u{1B}[K"
    private static let clearBelow = "\u{1B}[J"
    private static let hideCursor = "\u{1B}[?25l"
    private static let showCursor = "\u{1B}[?25h"

    init(width: Int, height: Int = 24, hasColour: Bool = false, startedAt start: Timestamp? = nil) {
        self.start = start
        self.width = max(20, width)
        self.height = height
        self.hasColour = hasColour
    }

    mutating func take(_ event: ReleaseEvent, at now: Duration) -> String {
        switch event {
        case .started(let app, let number):
            title = "\(app) \(number)"
            return line("release \(title)", at: now)
        case .stageStarted(let stage):
            (self.stage, stageStart, current, board) = (stage, now, "", AwaitedBoard())
            return repaint(at: now)
        case .output(let step, let text):
            current = "[\(step)] \(text)"
            return repaint(at: now)
        case .note(let text):
            current = ""
            return line("  \(text)", at: now)
        case .health(let report):
            board.take(report)
            return repaint(at: now)
        case .diagnosed(let cluster, _, _):
            // What follows puts things back; the error at the end tells the cause whole.
            board.forget(cluster)
            return repaint(at: now)
        case .waiting(let text):
            current = text
            return repaint(at: now)
        case .stageEnded(let stage, let took):
            (self.stage, board) = (nil, AwaitedBoard())
            return line("✓", .green, "\(stage.rawValue) \(PlainProgress.time(took))", at: now)
        case .stageFailed(let stage, let took):
            // What follows is told by further notes, with the stage's line below them as long as that takes.
            (current, board) = ("", AwaitedBoard())
            return line("✗", .red, "\(stage.rawValue) \(PlainProgress.time(took))", at: now)
        }
    }

    /// The block anew, for the time that passed.
    mutating func repaint(at now: Duration) -> String {
        guard let stage else { return "" }
        let seconds = (now - stageStart).components.seconds
        let rows = board.lines(atMost: max(0, height - 3), now: start.map { $0 + now })
        // Line by line the board says what one line would say of several objects.
        let words = rows.isEmpty || board.isAlone ? current : board.summary
        let status = "\(stage.rawValue) \(seconds) s" + (words.isEmpty ? "" : "  \(words)")
        let texts = rows.map { Self.fitting($0.text, width - 1 - 4) }
        let block = [Self.fitting(status, width - 1)] + zip(rows, texts).map(painted)
        defer { shown = [Self.columns(of: block[0])] + texts.map { 4 + Self.columns(of: $0) } }
        return (shown.isEmpty ? Self.hideCursor : "") + erased + block.joined(separator: "\r\n")
    }

    mutating func end() -> String {
        defer { shown = [] }
        return shown.isEmpty ? "" : erased + Self.showCursor
    }

    private func painted(_ row: AwaitedBoard.Line, _ text: String) -> String {
        let mark = hasColour ? row.colour.map { $0.paint(row.mark) } ?? row.mark : row.mark
        return "  \(mark) \(text)"
    }

    /// Removes the block and leaves the cursor where it began. A terminal that became narrower has wrapped its lines.
    private var erased: String {
        let rows = shown.reduce(0) { rows, columns in rows + max(1, (columns + width - 1) / width) }
        return rows > 1 ? "\r\u{1B}[\(min(rows, max(height, 2)) - 1)A" + Self.clearBelow : Self.clearLine
    }

    /// A line that stays, begun by a mark in colour.
    private mutating func line(_ mark: String, _ colour: Terminal.Colour, _ text: String, at now: Duration) -> String {
        staying((hasColour ? colour.paint(mark) : mark) + " " + Self.printable(text), at: now)
    }

    /// A line that stays, with the block below it.
    private mutating func line(_ text: String, at now: Duration) -> String { staying(Self.printable(text), at: now) }

    private mutating func staying(_ text: String, at now: Duration) -> String {
        let start = shown.isEmpty ? "" : erased
        // What is below the line is painted anew, on an empty place.
        if !shown.isEmpty { shown = [0] }
        return start + text + "\r\n" + repaint(at: now)
    }

    /// A line of the block that wraps would leave its first half behind at the next repaint.
    private static func fitting(_ text: String, _ width: Int) -> String {
        let text = printable(text)
        guard text.unicodeScalars.contains(where: { !$0.isASCII }) else { return String(text.prefix(width)) }
        var columns = 0
        return String(
            text.prefix { letter in
                columns += Self.columns(of: letter)
                return columns <= width
            }
        )
    }

    /// Wide letters take two columns; arrows, marks and boxes do not.
    private static func columns(of letter: Character) -> Int {
        letter.unicodeScalars.contains { $0.value >= 0x1100 && !(0x2000...0x2BFF).contains($0.value) } ? 2 : 1
    }

    static func columns(of text: String) -> Int { text.reduce(0) { $0 + columns(of: $1) } }

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
