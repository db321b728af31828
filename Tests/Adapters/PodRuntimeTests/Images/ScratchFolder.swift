// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc

@testable import PodRuntime

/// A folder of a test's own, gone when the test is through.
final class ScratchFolder: Sendable {
    let path: String

    init() throws {
        path = "/tmp/ballast-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try Folder.make(path)
    }

    init(at path: String) throws {
        self.path = path
        try Folder.make(path)
    }

    deinit { try? Folder.remove(path) }

    func status(_ name: String) -> stat? {
        var found = stat()
        return unsafe lstat("\(path)/\(name)", &found) == 0 ? found : nil
    }

    func link(_ name: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink("\(path)/\(name)", &buffer, buffer.count)
        return count < 0 ? nil : String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func text(_ name: String) -> String? {
        FileText.content("\(path)/\(name)").map { String(decoding: $0, as: UTF8.self) }
    }
}

extension stat {
    var kind: mode_t { st_mode & S_IFMT }
    var permissions: mode_t { st_mode & 0o7777 }
}
