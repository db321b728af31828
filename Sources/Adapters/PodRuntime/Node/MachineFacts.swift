// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc

/// What this machine has and is.
struct MachineFacts: Sendable {
    var cores: Int
    /// In bytes.
    var memory: Int64
    var kernel: String
    var osImage: String
    var architecture: String
    var machineID: String
    var bootID: String

    static func read() -> MachineFacts {
        var info = utsname()
        _ = unsafe uname(&info)
        let kernel = unsafe withUnsafeBytes(of: info.release) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        let pages = Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE)))
        #if arch(arm64)
            let architecture = "arm64"
        #else
            let architecture = "amd64"
        #endif
        return MachineFacts(
            cores: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))),
            memory: pages,
            kernel: kernel,
            osImage: osImage(),
            architecture: architecture,
            machineID: line("/etc/machine-id"),
            bootID: line("/proc/sys/kernel/random/boot_id")
        )
    }

    private static func line(_ path: String) -> String {
        let text = (try? FileText.read(path)) ?? ""
        return String(text.prefix { $0 != "\n" })
    }

    private static func osImage() -> String {
        let text = (try? FileText.read("/etc/os-release")) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
        return line.map { $0.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" } } ?? "Linux"
    }
}
