// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Glibc
import Synchronization

/// Holds the current misbehaviour and carries out the parts that go on by themselves.
public final class MisbehaviourSwitch: Sendable {
    private struct State {
        var settings = Misbehaviour()
        var hoard: [[UInt8]] = []
        var hoarded = 0
        var filled = 0
        var fillFailed = false
    }

    private let state: Mutex<State>
    private let changes = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    private let folder: String
    private var fillPath: String { "\(folder)/fill.misbehave" }
    private let log: Log
    private let random: @Sendable () -> Double
    private let crash: @Sendable () -> Void

    /// The disk is filled by one file in `folder`. `random` yields 0..<1.
    public init(
        _ settings: Misbehaviour = Misbehaviour(),
        folder: String,
        log: Log,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        crash: @escaping @Sendable () -> Void = MisbehaviourSwitch.endProcess
    ) {
        state = Mutex(State(settings: settings))
        self.folder = folder
        self.log = log
        self.random = random
        self.crash = crash
    }

    /// At once, without tidying up.
    public static let endProcess: @Sendable () -> Void = { _exit(1) }

    public var settings: Misbehaviour { state.withLock { $0.settings } }

    var isError: Bool {
        let share = settings.errors
        return share > 0 && random() < share
    }

    var hoarded: Int { state.withLock { $0.hoarded } }
    var filled: Int { state.withLock { $0.filled } }

    /// All of `text` or nothing.
    func change(by text: String) throws(Misbehaviour.Invalid) {
        let changed: Result<Misbehaviour, Misbehaviour.Invalid> = state.withLock { state in
            let result = Result { () throws(Misbehaviour.Invalid) in try state.settings.applying(text) }
            if case .success(let settings) = result { state.settings = settings }
            return result
        }
        let settings = try changed.get()
        log.warn("misbehaviour changed", ["settings": JSONText(text)])
        changes.continuation.yield()
        if settings.fillDisk == 0 { removeFill() }
    }

    /// Behave again, and give back what was taken.
    func reset() {
        state.withLock { state in
            state.settings = Misbehaviour()
            state.hoard = []
            state.hoarded = 0
        }
        removeFill()
        log.info("misbehaviour reset")
    }

    func crashIfTold() {
        guard settings.crash else { return }
        log.error("crashing as told")
        crash()
    }

    /// Crashes, leaks and fills in steps, until the task is cancelled; sleeps while there is nothing of the kind to do.
    func run(clock: any Clock<Duration> = ContinuousClock()) async {
        let step = Duration.milliseconds(100)
        var waiting = changes.stream.makeAsyncIterator()
        while !Task.isCancelled {
            let settings = settings
            if settings.crash || settings.leak > 0 || settings.fillDisk > 0 {
                tick(step)
                try? await clock.sleep(for: step)
            } else {
                _ = await waiting.next()
            }
        }
    }

    func tick(_ step: Duration) {
        crashIfTold()
        let settings = settings
        leak(Int(Double(settings.leak) * step.inSeconds), cap: settings.cap)
        fill(Int(Double(settings.fillDisk) * step.inSeconds), cap: settings.cap)
    }

    private func leak(_ amount: Int, cap: Int) {
        guard amount > 0 else { return }
        state.withLock { state in
            let taken = min(amount, cap - state.hoarded)
            guard taken > 0 else { return }
            state.hoard.append([UInt8](repeating: 0xAA, count: taken))  // Written, so that it is resident.
            state.hoarded += taken
        }
    }

    private func fill(_ amount: Int, cap: Int) {
        guard amount > 0 else { return }
        let taken = state.withLock { $0.fillFailed ? 0 : min(amount, cap - $0.filled) }
        guard taken > 0 else { return }
        do {
            try append(taken)
            state.withLock { $0.filled += taken }
        } catch {
            state.withLock { $0.fillFailed = true }
            log.error("disk fill stopped", ["path": JSONText(fillPath), "error": JSONText("\(error)")])
        }
    }

    private func append(_ count: Int) throws {
        mkdir(folder, 0o755)  // An image from scratch has no /tmp.
        let file = open(fillPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemError("open") }
        defer { close(file) }
        let block = [UInt8](repeating: 0xAA, count: min(count, 1 << 16))
        var left = count
        while left > 0 {
            let written = write(file, block, min(left, block.count))
            guard written > 0 else { throw SystemError("write") }
            left -= written
        }
    }

    private func removeFill() {
        unlink(fillPath)
        state.withLock { state in
            state.filled = 0
            state.fillFailed = false
        }
    }
}

/// A system call that failed, with the kernel's reason.
public struct SystemError: Error, CustomStringConvertible {
    public let call: String
    public let code: Int32

    /// Takes `errno`, so it must come right behind the call.
    public init(_ call: String) {
        code = errno
        self.call = call
    }

    public var description: String { "\(call): \(String(cString: strerror(code)))" }
}
