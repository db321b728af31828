// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// A new command in a running container, and the one who asked for it.
struct ExecSession: ContainerSession {
    let exec: ContainerExec
    let options: SessionOptions

    func run(_ peer: any SessionPeer) async -> SessionEnd {
        do {
            let ends = options.isTerminal ? try await startOnTerminal(peer) : try await startOnPipes()
            return await carry(ends, peer)
        } catch {
            return .failed("error executing command in container: OCI runtime exec failed: \(error)")
        }
    }

    /// Our ends of what the command reads and writes; the command alone has the others.
    private struct Ends {
        var process: ExecutedProcess
        var input: ProcessInput?
        var outputs: [(SessionOutput, Descriptor)]
    }

    private func startOnPipes() async throws -> Ends {
        let input = options.hasInput ? try ChildPipe.input() : nil
        let output = options.hasOutput ? try ChildPipe.output() : nil
        let errors = options.hasErrors ? try ChildPipe.output() : nil
        let streams = try ChildStreams(input: input?.theirs, output: output?.theirs, errors: errors?.theirs)
        let process = try await exec.start(options.command, on: streams)
        return Ends(
            process: process,
            input: input.map { ProcessInput($0.ours, isTerminal: false, isForOne: true) },
            outputs: [(SessionOutput.output, output), (.errors, errors)].compactMap { name, pipe in
                pipe.map { (name, $0.ours) }
            }
        )
    }

    private func startOnTerminal(_ peer: any SessionPeer) async throws -> Ends {
        let size = await firstSize(of: peer)
        let (process, terminal) = try await exec.startOnTerminal(options.command, size: size)
        return Ends(
            process: process,
            input: ProcessInput(terminal, isTerminal: true, isForOne: true),
            outputs: [(.output, terminal)]
        )
    }

    private func carry(_ ends: Ends, _ peer: any SessionPeer) async -> SessionEnd {
        await withTaskGroup(of: Void.self) { writing in
            if let input = ends.input {
                if options.hasInput { writing.addTask { await input.take(from: peer) } }
                if input.isTerminal { writing.addTask { await input.follow(sizeOf: peer) } }
            }
            let code = await withTaskGroup(of: Void.self) { reading in
                for (output, end) in ends.outputs { reading.addTask { await send(end, as: output, to: peer) } }
                let code = await ends.process.waitOrHangUp(exec.services.clock)
                await reading.waitForAll()
                return code
            }
            writing.cancelAll()
            return .exited(code: Int(code))
        }
    }

    private func send(_ end: Descriptor, as output: SessionOutput, to peer: any SessionPeer) async {
        var isHeard = output == .output ? options.hasOutput : options.hasErrors
        while let bytes = await end.read() {
            guard isHeard else { continue }
            // A peer that has gone ends the session soon; until then the process must not stall.
            do { try await peer.send(bytes, to: output) } catch { isHeard = false }
        }
    }

    /// Clients tell their size at once; a program that starts before would see none.
    private func firstSize(of peer: any SessionPeer) async -> TerminalSize? {
        await withTaskGroup(of: TerminalSize?.self) { group in
            group.addTask { await peer.size() }
            group.addTask { [clock = exec.services.clock] in
                try? await clock.sleep(for: .milliseconds(200))
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            // One that came at the last moment must not be lost.
            let second = await group.next() ?? nil
            return first ?? second
        }
    }
}
