// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc

/// An Envoy of ours that outlived the process that started it.
///
/// Found by its command line, which names our bootstrap file; that also finds one whose starter was killed before it could
/// write anything down.
enum LeftoverEnvoy {
    /// Ends them all, asking first; returns how many there were.
    static func end(bootstrap: String, clock: any Clock<Duration>) async throws -> Int {
        let found = processes(bootstrap)
        for process in found { kill(process, SIGTERM) }
        let step = Duration.milliseconds(20)
        for round in 0..<150 {
            // Asked again each time: an ended process' number may belong to another by now.
            let left = processes(bootstrap)
            if left.isEmpty { break }
            if round == 100 { for process in left { kill(process, SIGKILL) } }
            try await clock.sleep(for: step)
        }
        return found.count
    }

    static func processes(_ bootstrap: String) -> [pid_t] {
        guard let listing = unsafe opendir("/proc") else { return [] }
        defer { unsafe closedir(listing) }
        var found: [pid_t] = []
        while let item = unsafe readdir(listing) {
            guard unsafe item.pointee.d_name.0 >= 0x30, unsafe item.pointee.d_name.0 <= 0x39 else { continue }
            let start = unsafe UnsafeRawPointer(item) + (MemoryLayout<dirent>.offset(of: \.d_name) ?? 0)
            let name = unsafe String(cString: start.assumingMemoryBound(to: CChar.self))
            guard let process = pid_t(name), arguments(process).contains(bootstrap) else { continue }
            found.append(process)
        }
        return found
    }

    private static func arguments(_ process: pid_t) -> [String] {
        let file = unsafe open("/proc/\(process)/cmdline", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 16384)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
        guard count > 0 else { return [] }
        return buffer[..<count].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
