// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model

/// What a container's own process reads and writes: pipes, or a terminal.
struct ContainerStreams {
    let spec: ContainerSpec

    init(_ spec: ContainerSpec) { self.spec = spec }

    /// Creates the container; what it writes goes to `log` from then on.
    func create(
        _ bundle: ContainerBundle,
        _ folder: String,
        _ log: ContainerLog,
        _ runc: Runc
    ) async throws -> (ChildProcess, ProcessInput?) {
        spec.hasTerminal
            ? try await createOnTerminal(bundle, folder, log, runc)
            : try await createOnPipes(bundle, folder, log, runc)
    }

    private func createOnPipes(
        _ bundle: ContainerBundle,
        _ folder: String,
        _ log: ContainerLog,
        _ runc: Runc
    ) async throws -> (ChildProcess, ProcessInput?) {
        let output = try ChildPipe.output()
        let errors = try ChildPipe.output()
        let input = spec.takesInput ? try ChildPipe.input() : nil
        let process = try await runc.create(
            bundle.id,
            bundle: folder,
            streams: ChildStreams(input: input?.theirs, output: output.theirs, errors: errors.theirs)
        )
        try log.collect(output: output.ours, error: errors.ours)
        return (process, input.map { ProcessInput($0.ours, isTerminal: false, isForOne: spec.takesInputOnce) })
    }

    private func createOnTerminal(
        _ bundle: ContainerBundle,
        _ folder: String,
        _ log: ContainerLog,
        _ runc: Runc
    ) async throws -> (ChildProcess, ProcessInput?) {
        let console = try ConsoleSocket(folder: folder, name: "console")
        defer { console.remove() }
        let process = try await runc.create(
            bundle.id,
            bundle: folder,
            streams: ChildStreams(),
            console: console.path
        )
        let terminal = try console.receive()
        try log.collect(output: terminal, error: nil)
        return (process, ProcessInput(terminal, isTerminal: true, isForOne: spec.takesInputOnce))
    }
}

extension ContainerLog {
    /// Reads both until their writers are gone. The reactor closes what it watches, so it gets copies.
    fileprivate func collect(output: Descriptor, error: Descriptor?) throws(Failure) {
        let output = try output.duplicate()
        guard let error else { return collect(output: output, error: nil) }
        do {
            collect(output: output, error: try error.duplicate())
        } catch {
            Glibc.close(output)
            throw error
        }
    }
}
