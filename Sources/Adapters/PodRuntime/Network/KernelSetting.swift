// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc

/// One file below `/proc/sys`.
enum KernelSetting {
    static func read(_ path: String) -> String? {
        FileText.content("/proc/sys/\(path)").map { bytes in
            String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
        }
    }

    /// `false` where the kernel has no such setting or refuses the value.
    @discardableResult
    static func write(_ value: String, to path: String) -> Bool {
        let file = unsafe open("/proc/sys/\(path)", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        let bytes = Array(value.utf8)
        return unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) } == bytes.count
    }
}
