// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Glibc
import Model
import Ports

/// Lines of output in files of the data folder, one file a stream: until the log store exists.
///
/// One writer a stream. A line survives this process's death once `append` has returned, not a power cut.
struct FileLogRecords: LogRecords {
    /// The folder of all streams.
    let folder: String

    func append(_ lines: [LogLine], to stream: LogStream) async throws {
        let file = "\(folder)/\(stream).log"
        let text = lines.map { "\($0.time.nanoText) \($0.text)\n" }.joined()
        try FileManager.default.createDirectory(
            atPath: URL(filePath: file).deletingLastPathComponent().path,
            withIntermediateDirectories: true
        )
        let descriptor = unsafe open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(file) }
        defer { close(descriptor) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw failure(file) }
            rest = rest.dropFirst(count)
        }
    }

    func read(_ stream: LogStream) async throws -> [LogLine] {
        let file = "\(folder)/\(stream).log"
        guard let data = FileManager.default.contents(atPath: file) else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { line in
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            guard let time = Timestamp(String(parts[0])) else { return nil }
            return LogLine(time: time, text: parts.count > 1 ? String(parts[1]) : "")
        }
    }

    private func failure(_ file: String) -> Failure {
        Failure(.fault, "the log '\(file)' cannot be written: \(unsafe String(cString: strerror(errno)))")
    }
}
