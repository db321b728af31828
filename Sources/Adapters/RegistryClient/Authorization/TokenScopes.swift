// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What a token is asked for, as token services read it: `repository:shop/cart:pull,push`.
enum TokenScopes {
    /// Ours first, because some services read only the first; then what the registry's challenge asks beyond it.
    ///
    /// Two scopes of one name become one that has the actions of both. A challenge holds several scopes with spaces between.
    static func union(_ wanted: [String], _ asked: String?) -> [String] {
        var order: [String] = []
        var actions: [String: [String]] = [:]
        for scope in wanted + (asked ?? "").split(separator: " ").map(String.init) {
            // Repository names may hold a port, so the last colon is the one before the actions.
            let colon = scope.lastIndex(of: ":") ?? scope.endIndex
            let name = String(scope[..<colon])
            if actions[name] == nil { order.append(name) }
            var known = actions[name, default: []]
            for action in scope[colon...].dropFirst().split(separator: ",").map(String.init)
            where !known.contains(action) { known.append(action) }
            actions[name] = known
        }
        return order.map { name in
            let list = actions[name] ?? []
            return list.isEmpty ? name : "\(name):\(list.joined(separator: ","))"
        }
    }
}
