// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Releases

/// Progress on a terminal: what is done scrolls away above a few lines that say what is being done now.
actor LiveProgress: ReleaseProgress {
    private var view: ReleaseView
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var ticker: Task<Void, Never>?

    init(size: Terminal.Size) {
        view = ReleaseView(
            width: size.columns,
            height: size.rows,
            hasColour: Terminal.hasColour,
            startedAt: WallClock.ofTheMachine.now
        )
        start = clock.now
    }

    func report(_ event: ReleaseEvent) async {
        if ticker == nil { startTicking() }
        fit()
        Terminal.raw(view.take(event, at: start.duration(to: clock.now)))
    }

    /// Leaves the terminal as it was: the cursor shown, and at the start of a line of its own.
    func end() {
        ticker?.cancel()
        Terminal.raw(view.end())
    }

    private func startTicking() {
        // It only repaints the elapsed time, and ends with the view.
        ticker = Task { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(500))
                await self?.tick()
            }
        }
    }

    private func fit() {
        guard let size = Terminal.size else { return }
        (view.width, view.height) = (size.columns, size.rows)
    }

    private func tick() {
        guard ticker?.isCancelled == false else { return }
        fit()
        Terminal.raw(view.repaint(at: start.duration(to: clock.now)))
    }
}
