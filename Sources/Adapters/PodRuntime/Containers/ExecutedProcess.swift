// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model

/// A process that was started in a running container beside its own, with everything that it started in turn.
struct ExecutedProcess: Sendable {
    let child: ChildProcess
    let controlGroups: ControlGroups
    /// The container's.
    let controlGroup: String

    /// How long a session that was hung up may take to end by itself.
    private static let grace = Duration.seconds(2)
    /// How often it is looked at meanwhile.
    private static let look = Duration.milliseconds(50)

    /// Sends a signal to the process and to what it started. Runc makes each process the leader of a session, which only
    /// those leave that ask for it: daemons.
    func signalAll(_ number: Int32) {
        for process in session { kill(process, number) }
        child.signal(number)
    }

    private var session: [pid_t] {
        controlGroups.processes(below: controlGroup).filter { Self.session(of: $0) == child.pid }
    }

    /// The session that a process is in: the fourth number behind the name, which may hold anything.
    private static func session(of process: pid_t) -> pid_t? {
        guard let text = try? FileText.read("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 3 ? pid_t(fields[3]) : nil
    }

    /// Waits for the end of the process; a cancelled task hangs up and waits for what comes of it.
    func waitOrHangUp(_ clock: any Clock<Duration>) async -> Int32 {
        let (cancelled, cancel) = AsyncStream.makeStream(of: Void.self)
        return await withTaskCancellationHandler {
            // A task of its own, because a cancelled one cannot wait for the grace period to pass.
            let farewell = Task {
                for await _ in cancelled { await hangUp(clock) }
            }
            let code = await child.wait()
            cancel.finish()
            await farewell.value
            return code
        } onCancel: {
            cancel.yield()
        }
    }

    /// Tells all of the session that its other end has gone, and kills who stays.
    private func hangUp(_ clock: any Clock<Duration>) async {
        signalAll(SIGHUP)
        // One that was stopped hears nothing before it goes on.
        signalAll(SIGCONT)
        var wait = Self.grace
        while isAlive, wait > .zero, (try? await clock.sleep(for: Self.look)) != nil { wait -= Self.look }
        // What is started between a look and a signal is met by the next.
        for _ in 0..<10 where isAlive { signalAll(SIGKILL) }
    }

    private var isAlive: Bool { child.exitCode == nil || !session.isEmpty }
}
