// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A key of a login file: `registry.internal`, `https://index.docker.io/v1/`, `*.azurecr.io`, `registry.internal:5000/team`.
struct RegistryKey {
    /// How well a key fits; a higher one counts first.
    struct Rank: Comparable {
        /// The length of the path it covers; less than none where only the host is known to fit.
        var path: Int
        /// The plainer the higher.
        var spelling: Int

        static func < (left: Rank, right: Rank) -> Bool { (left.path, left.spelling) < (right.path, right.spelling) }
    }

    private let hasScheme: Bool
    private let hasVersion: Bool
    private let host: String
    private let path: String

    init(_ text: String) {
        var rest = Substring(text)
        var isSecure = true
        var hasScheme = false
        for scheme in ["https://", "http://"] where rest.lowercased().hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
            isSecure = scheme == "https://"
            hasScheme = true
        }
        self.hasScheme = hasScheme
        let authority = String(rest.prefix { $0 != "/" }).lowercased()
        let plain = isSecure && authority.hasSuffix(":443") ? String(authority.dropLast(4)) : authority
        host = Self.canonical(plain)
        var path = rest.dropFirst(authority.count)
        while path.first == "/" { path.removeFirst() }
        while path.last == "/" { path.removeLast() }
        // `/v1/` and its like name the API, not a repository.
        hasVersion = path.first == "v" && path.count > 1 && path.dropFirst().allSatisfy { $0.isASCII && $0.isNumber }
        self.path = hasVersion ? "" : String(path)
    }

    /// Docker's registry goes by several names.
    static func canonical(_ host: String) -> String {
        let names = ["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"]
        return names.contains(host) ? "docker.io" : host
    }

    /// `nil` where the key is another's. Without a repository a key with a path fits its host, but as the last one.
    func rank(for wanted: String, _ repository: String?) -> Rank? {
        let wanted = Self.canonical(wanted.lowercased())
        let isPattern = host.contains("*")
        guard host == wanted || isPattern && Self.isHost(wanted, matching: host) else { return nil }
        let spelling = (isPattern ? 0 : 4) - (hasScheme ? 1 : 0) - (hasVersion || !path.isEmpty ? 2 : 0)
        if path.isEmpty { return Rank(path: 0, spelling: spelling) }
        guard let repository else { return Rank(path: -1, spelling: spelling) }
        guard repository == path || repository.hasPrefix("\(path)/") else { return nil }
        return Rank(path: path.utf8.count, spelling: spelling)
    }

    /// As the kubelet has it: the same port and the same number of labels, `*` stands for any part of one.
    private static func isHost(_ host: String, matching pattern: String) -> Bool {
        func parts(_ text: String) -> (host: Substring, port: Substring) {
            let sides = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (sides[0], sides.count > 1 ? sides[1] : "")
        }
        let (own, wanted) = (parts(pattern), parts(host))
        return own.port == wanted.port && HostPattern.fits(wanted.host, own.host)
    }
}
