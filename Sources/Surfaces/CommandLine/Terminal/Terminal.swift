// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

#if canImport(Glibc)
    import Glibc
#endif

/// Where text for a person goes.
package enum Terminal {
    struct Size: Sendable, Hashable {
        var columns: Int
        var rows = 24
    }

    /// The few colours there are; what they say is said in words as well.
    enum Colour: String {
        case red = "31"
        case green = "32"
        case yellow = "33"

        func paint(_ text: String) -> String { "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" }
    }

    /// Whether stderr takes colours and the person wants them (no-color.org's convention).
    static var hasColour: Bool {
        let wish = unsafe getenv("NO_COLOR").map { unsafe String(cString: $0) } ?? ""
        return wish.isEmpty && size != nil
    }

    /// What went wrong, on stderr.
    package static func error(_ text: String) { note((hasColour ? Colour.red.paint("error:") : "error:") + " " + text) }

    /// One result line on stdout.
    package static func result(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    /// One line of progress or trouble on stderr.
    package static func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// Text for stderr as it is, in one write.
    static func raw(_ text: String) { write(text, to: STDERR_FILENO) }

    /// For an end in the middle of a live view, which hides the cursor.
    static func showCursor() {
        if size != nil { raw("\u{1B}[?25h") }
    }

    /// Whether a person reads along on stderr.
    package static var isInteractive: Bool { size != nil }

    /// The terminal behind stderr; `nil` where there is none, or one that takes no escapes.
    static var size: Size? {
        guard isatty(STDERR_FILENO) == 1, unsafe getenv("TERM").map({ unsafe String(cString: $0) }) != "dumb" else {
            return nil
        }
        var window = winsize()
        guard unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0 else {
            return Size(columns: 80)
        }
        return Size(columns: Int(window.ws_col), rows: window.ws_row > 0 ? Int(window.ws_row) : 24)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }
}
