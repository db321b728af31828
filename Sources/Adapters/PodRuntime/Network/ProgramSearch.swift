// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc

/// Finds programs on `PATH`, and in the administrator's folders that not everybody has there.
enum ProgramSearch {
    static func find(_ name: String) -> String? {
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? ""
        let folders =
            path.split(separator: ":").map(String.init) + ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"]
        return folders.lazy.map { "\($0)/\(name)" }.first { unsafe access($0, X_OK) == 0 }
    }
}
