// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Which Linux capabilities a container gets.
enum Capabilities {
    struct Refused: Error, Equatable {
        var name: String
    }

    /// What containers get unasked; NET_RAW is not among them, so that a pod cannot forge its address.
    static let standard = [
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    ]

    /// Applies `drop` and then `add`; an added one beyond the standard set would break a pod's confinement.
    static func resolve(add: [String], drop: [String]) throws(Refused) -> [String] {
        let dropped = Set(drop.map(plain))
        var names = dropped.contains("ALL") ? [] : standard.filter { !dropped.contains($0) }
        for name in add.map(plain) {
            guard standard.contains(name) else { throw Refused(name: name) }
            if !names.contains(name) { names.append(name) }
        }
        return names.sorted().map { "CAP_" + $0 }
    }

    private static func plain(_ name: String) -> String {
        let upper = name.uppercased()
        return upper.hasPrefix("CAP_") ? String(upper.dropFirst(4)) : upper
    }
}
