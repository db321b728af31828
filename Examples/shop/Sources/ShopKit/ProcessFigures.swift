// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc

/// What the kernel knows of this process, under the names that Prometheus client libraries use.
enum ProcessFigures {
    static func register(in metrics: Metrics) {
        let started = Double(WallTime.now().seconds)
        metrics.reading("process_start_time_seconds", "Start time of the process since unix epoch in seconds.") {
            started
        }
        metrics.reading("process_resident_memory_bytes", "Resident memory size in bytes.") {
            memoryPages().map { Double($0.resident * pageSize) }
        }
        metrics.reading("process_virtual_memory_bytes", "Virtual memory size in bytes.") {
            memoryPages().map { Double($0.virtual * pageSize) }
        }
        metrics.reading(
            "process_cpu_seconds_total",
            "Total user and system CPU time spent in seconds.",
            kind: .counter,
            read: cpuSeconds
        )
        metrics.reading("process_open_fds", "Number of open file descriptors.", read: openDescriptors)
        metrics.reading("process_max_fds", "Maximum number of open file descriptors.") {
            var limit = rlimit()
            return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? Double(limit.rlim_cur) : nil
        }
    }

    private static let pageSize = sysconf(Int32(_SC_PAGESIZE))

    private static func memoryPages() -> (virtual: Int, resident: Int)? {
        guard let text = SmallFile.read("/proc/self/statm") else { return nil }
        let fields = text.split(separator: " ").compactMap { Int($0) }
        return fields.count >= 2 ? (fields[0], fields[1]) : nil
    }

    private static func cpuSeconds() -> Double? {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return nil }
        let whole = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        return Double(whole) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }

    private static func openDescriptors() -> Double? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return Double(count - 3)  // ".", ".." and the folder itself.
    }
}

/// Reads a file of a few kilobytes at once.
enum SmallFile {
    static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(file, &bytes, bytes.count)
        return count >= 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}
