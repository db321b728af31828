// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

extension ObjectDifference {
    /// The fields that a patch changes, as paths with old and new value, for people. A Secret's values are not shown.
    package static func summary(of patch: JSON, live: KubeObject) -> [String] {
        var lines: [String] = []
        walk(patch, live.json, "", isSecret: live.kind == "Secret", into: &lines)
        return lines
    }

    private static func walk(_ patch: JSON, _ live: JSON?, _ path: String, isSecret: Bool, into lines: inout [String]) {
        switch (patch, live) {
        case (.object(let members), _):
            for (key, value) in members where key != annotation {
                walk(value, live?[key], path.isEmpty ? key : "\(path).\(key)", isSecret: isSecret, into: &lines)
            }
        case (.array(let elements), .array(let stored)?):
            walkList(elements, stored, path, isSecret: isSecret, into: &lines)
        case (let wanted, let stored):
            guard !covers(stored, wanted) else { return }
            let change = patch.isNull ? "\(short(stored)) -> (removed)" : "\(short(stored)) -> \(short(wanted))"
            lines.append(isSecret ? "\(path): changed" : "\(path): \(change)")
        }
    }

    /// Elements with a name are told by it, others by their place.
    private static func walkList(
        _ wanted: [JSON],
        _ stored: [JSON],
        _ path: String,
        isSecret: Bool,
        into lines: inout [String]
    ) {
        func names(_ list: [JSON]) -> [String] {
            list.enumerated().map { place, element in element["name"]?.string ?? String(place) }
        }
        let (new, old) = (names(wanted), names(stored))
        for (place, name) in new.enumerated() {
            let before = old.firstIndex(of: name).map { stored[$0] }
            walk(wanted[place], before, "\(path)[\(name)]", isSecret: isSecret, into: &lines)
            guard case .object(let was)? = before, case .object(let now) = wanted[place] else { continue }
            // A list is replaced whole, so what an element no longer says is gone.
            for key in was.keys where now[key] == nil && Self.isOurs(key) {
                lines.append("\(path)[\(name)].\(key): \(short(was[key])) -> (removed)")
            }
        }
        for (place, name) in old.enumerated() where !new.contains(name) {
            lines.append("\(path)[\(name)]: \(short(stored[place])) -> (removed)")
        }
    }

    /// Keys of a container that an app file can cause; the others are the server's defaults and come back by themselves.
    private static func isOurs(_ key: String) -> Bool {
        ["env", "ports", "resources", "volumeMounts", "readinessProbe", "livenessProbe", "startupProbe"].contains(key)
    }

    private static func short(_ value: JSON?) -> String {
        guard let value else { return "(none)" }
        let text = value.text
        return text.count <= 120 ? text : text.prefix(117) + "..."
    }
}
