// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Glibc
import Logging
import Model
import Synchronization

/// Sends log lines to a file in the data folder, and warnings to stderr as well.
enum LogOutput {
    static func start(folder: DataFolder) {
        let file = LogFile(path: "\(folder.logs)/ballast.log")
        LoggingSystem.bootstrap { label in FileLogHandler(label: label, file: file) }
    }
}

struct FileLogHandler: LogHandler {
    let label: String
    let file: LogFile
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let merged = event.metadata.map { metadata.merging($0) { $1 } } ?? metadata
        let fields = merged.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        let line = "\(WallClock.system.now.nanoText) \(event.level) \(label): \(event.message)\(fields)\n"
        file.write(line)
        if event.level >= .error { FileHandle.standardError.write(Data(line.utf8)) }
    }
}
