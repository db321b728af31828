// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Packet forwarding on one interface of the host, shared by all Ballasts on the machine.
///
/// A file in `/run` remembers that it was off before; like the setting itself, the file does not outlive a restart of
/// the machine. The last one to go switches it off again.
struct ForwardingSwitch {
    let interface: String

    private static let folder = "/run"
    private static let prefix = "ballast-forwarding-"

    private var mark: String { "\(Self.folder)/\(Self.prefix)\(interface)" }
    private var setting: String { "net/ipv4/conf/\(interface)/forwarding" }

    /// Whether it is on because a Ballast switched it on.
    var isOurs: Bool { Folder.exists(mark) }

    /// What was on already is not ours, and stays on.
    func switchOn() throws {
        guard KernelSetting.read(setting) == "0" else { return }
        try FileText.replace(mark, with: [])
        KernelSetting.write("1", to: setting)
    }

    static func switchAllOff() {
        for name in Folder.names(in: folder) where name.hasPrefix(prefix) && !name.contains(".tmp") {
            let own = ForwardingSwitch(interface: String(name.dropFirst(prefix.count)))
            KernelSetting.write("0", to: own.setting)
            try? Folder.remove(own.mark)
        }
    }
}
