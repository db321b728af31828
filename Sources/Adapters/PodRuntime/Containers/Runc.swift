// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model

/// What runc said when it refused.
struct RuncFailure: Error, Hashable, CustomStringConvertible {
    var message: String
    var description: String { message }
}

/// The `runc` program with a state folder of its own, so that it sees the containers of one data folder alone.
struct Runc: Sendable {
    /// The program's path.
    var program: String
    /// Where runc keeps its containers' state.
    var root: String

    struct Answer {
        var code: Int32
        var output: String
        var error: String
    }

    /// Creates the container of a bundle and returns its first process, which waits for `start`.
    ///
    /// The container keeps `streams`, or has a terminal, which is handed over at the socket `console`.
    func create(
        _ id: ContainerID,
        bundle: String,
        streams: ChildStreams,
        console: String? = nil
    ) async throws -> ChildProcess {
        let log = "\(bundle)/runc.log"
        let pidFile = "\(bundle)/pid"
        let arguments = ["create", "--bundle", bundle, "--pid-file", pidFile] + Self.flag(console) + [id.text]
        let code = try await streams.holding { try spawn(arguments, log: log, $0) }.wait()
        guard code == 0 else { throw RuncFailure(message: errorIn(log) ?? "runc create ended with code \(code)") }
        return try ChildProcess(adopting: try readPid(pidFile))
    }

    /// Lets a created container's process run its program.
    func start(_ id: ContainerID) async throws {
        let answer = try await call(["start", id.text])
        guard answer.code == 0 else { throw RuncFailure(message: Self.sentence(answer.error)) }
    }

    /// Ends whatever is left of a container and removes its control groups; none of that name is no failure.
    func delete(_ id: ContainerID) async throws {
        let answer = try await call(["delete", "--force", id.text])
        guard answer.code == 0 else { throw RuncFailure(message: Self.sentence(answer.error)) }
    }

    /// The ids of all containers in the state folder.
    func list() async throws -> [ContainerID] {
        let answer = try await call(["list", "--quiet"])
        guard answer.code == 0 else { throw RuncFailure(message: Self.sentence(answer.error)) }
        return answer.output.split(separator: "\n").map { ContainerID(String($0)) }
    }

    /// Starts one more process in a running container and returns at once; the caller waits for it.
    ///
    /// It keeps `streams`, or has a terminal, which is handed over at the socket `console`.
    func exec(
        _ id: ContainerID,
        processFile: String,
        pidFile: String,
        log: String,
        streams: ChildStreams,
        console: String? = nil
    ) async throws -> ChildProcess {
        let arguments =
            ["exec", "--detach", "--process", processFile, "--pid-file", pidFile] + Self.flag(console) + [id.text]
        let code = try await streams.holding { try spawn(arguments, log: log, $0) }.wait()
        guard code == 0 else { throw RuncFailure(message: errorIn(log) ?? "runc exec ended with code \(code)") }
        return try ChildProcess(adopting: try readPid(pidFile))
    }

    /// Runs a short runc command to its end.
    func call(_ arguments: [String]) async throws -> Answer {
        let (output, outputEnd) = try OutputCapture.pipe(limit: 1 << 20)
        let (error, errorEnd) = try OutputCapture.pipe()
        defer {
            output.abandon()
            error.abandon()
        }
        let child = try ChildStreams(
            output: Descriptor(owning: outputEnd),
            errors: Descriptor(owning: errorEnd)
        ).holding { try spawn(arguments, log: nil, $0) }
        let code = await child.wait()
        return Answer(code: code, output: await output.text(), error: await error.text())
    }

    private static func flag(_ console: String?) -> [String] { console.map { ["--console-socket", $0] } ?? [] }

    private func spawn(_ arguments: [String], log: String?, _ streams: ChildProcess.Streams) throws -> ChildProcess {
        var all = ["--root", root]
        if let log { all += ["--log", log, "--log-format", "json"] }
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return try ChildProcess.spawn(program, all + arguments, environment: [path], streams: streams)
    }

    private func readPid(_ path: String) throws -> pid_t {
        guard let text = try? FileText.read(path), let pid = pid_t(text) else {
            throw RuncFailure(message: "runc wrote no process id")
        }
        return pid
    }

    /// The last error line of a JSON log.
    private func errorIn(_ log: String) -> String? {
        guard let text = try? FileText.read(log) else { return nil }
        let lines = text.split(separator: "\n").compactMap { try? JSON(parsing: $0.utf8) }
        return lines.last { $0["level"]?.string == "error" }?["msg"]?.string
    }

    /// The message in a line such as `time="…" level=error msg="…"`.
    static func sentence(_ text: String) -> String {
        let line = text.split(separator: "\n").last.map(String.init) ?? "runc failed"
        guard let range = line.firstRange(of: "msg=\"") else { return line }
        return String(line[range.upperBound...].dropLast()).replacing("\\\"", with: "\"")
    }
}

/// The id of a container: 64 hex digits.
struct ContainerID: Sendable, Hashable, CustomStringConvertible {
    let text: String
    init(_ text: String) { self.text = text }

    static func random() -> ContainerID {
        let digits = (0..<4).map { _ in
            let hex = String(UInt64.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 16 - hex.count) + hex
        }
        return ContainerID(digits.joined())
    }

    var description: String { text }
}
