// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Turns the names of users and groups into numbers, by the files of a container's own root.
struct UserLookup {
    /// Lower case, names what is missing; becomes a container's waiting message.
    struct Unknown: Error, Equatable {
        var message: String
    }

    private struct Account {
        var name: Substring
        var uid: Int
        var gid: Int
    }

    private let accounts: [Account]
    private let groups: [(name: Substring, gid: Int, members: [Substring])]

    init(passwd: String, group: String) {
        accounts = passwd.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 4, let uid = Int(fields[2]), let gid = Int(fields[3]) else { return nil }
            return Account(name: fields[0], uid: uid, gid: gid)
        }
        groups = group.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 3, let gid = Int(fields[2]) else { return nil }
            return (fields[0], gid, fields.count > 3 ? fields[3].split(separator: ",") : [])
        }
    }

    /// Reads `/etc/passwd` and `/etc/group` below a root; a missing file is empty.
    init(root: String) {
        self.init(passwd: Self.text("/etc/passwd", root), group: Self.text("/etc/group", root))
    }

    private static func text(_ path: String, _ root: String) -> String {
        String(decoding: ImageLayers.readFile(path, inRootfs: root) ?? [], as: UTF8.self)
    }

    /// Resolves an image's `USER` (`name`, `uid`, with `:group` or `:gid`), overridden by the pod's numbers.
    func resolve(image: String, runAsUser: Int?, runAsGroup: Int?, additional: [Int]) throws(Unknown) -> ContainerUser {
        let parts = image.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let imageUser = parts.first ?? ""
        let account: Account? =
            if let runAsUser { accounts.first { $0.uid == runAsUser } } else { try find(imageUser) }
        let uid = runAsUser ?? account?.uid ?? Int(imageUser) ?? 0
        var gid = runAsGroup ?? account?.gid ?? 0
        if runAsUser == nil, runAsGroup == nil, parts.count > 1 { gid = try findGroup(parts[1]) }
        let memberships =
            account.map { account in groups.filter { $0.members.contains(account.name) }.map(\.gid) } ?? []
        var extra: [Int] = []
        for group in [gid] + memberships + additional where !extra.contains(group) { extra.append(group) }
        return ContainerUser(uid: uid, gid: gid, additionalGroups: extra)
    }

    private func find(_ name: Substring) throws(Unknown) -> Account? {
        if name.isEmpty { return accounts.first { $0.uid == 0 } }
        if let account = accounts.first(where: { $0.name == name }) { return account }
        guard let uid = Int(name) else {
            throw Unknown(message: "unable to find user \(name): no matching entries in passwd file")
        }
        return accounts.first { $0.uid == uid }
    }

    private func findGroup(_ name: Substring) throws(Unknown) -> Int {
        if let group = groups.first(where: { $0.name == name }) { return group.gid }
        guard let gid = Int(name) else {
            throw Unknown(message: "unable to find group \(name): no matching entries in group file")
        }
        return gid
    }
}
