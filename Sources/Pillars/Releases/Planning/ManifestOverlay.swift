// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Lays a manifest over an object that Ballast makes of the app file: what the file cannot say is said there.
///
/// Mappings join member by member and `null` takes a member out; a list whose elements have an identity (containers by
/// name, ports by number and so on) joins by it, and an element with `$patch: delete` goes; any other list, and a selector,
/// replaces what was there. These are the rules of strategic merge patches, which kustomize has too.
enum ManifestOverlay {
    static func laid(_ overlay: JSON, over base: JSON, key: String = "") -> JSON {
        switch (overlay, base) {
        case (.object(let members), .object) where !isAtomic(key):
            var result = base
            for (name, value) in members {
                if value.isNull {
                    result[name] = nil
                } else {
                    result[name] = result[name].map { laid(value, over: $0, key: name) } ?? value.withoutDirectives
                }
            }
            return result
        case (.array(let elements), .array(let stored)):
            guard let identity = identity(of: key, elements + stored) else { return overlay.withoutDirectives }
            return .array(joined(elements, stored, by: identity))
        default: return overlay.withoutDirectives
        }
    }

    private static func joined(_ elements: [JSON], _ base: [JSON], by identity: [String]) -> [JSON] {
        var result = base
        for element in elements {
            let place = result.firstIndex { stored in identity.allSatisfy { stored[$0] == element[$0] } }
            if element["$patch"]?.string == "delete" {
                if let place { result.remove(at: place) }
            } else if let place {
                result[place] = laid(element, over: result[place])
            } else {
                result.append(element.withoutDirectives)
            }
        }
        return result
    }

    /// Label selectors cannot be shared: who says one says all of it.
    static func isAtomic(_ key: String) -> Bool { key == "matchLabels" || key == "nodeSelector" || key == "selector" }

    private static let identities: [String: [[String]]] = [
        "containers": [["name"]], "initContainers": [["name"]], "env": [["name"]], "volumes": [["name"]],
        "volumeMounts": [["mountPath"]], "imagePullSecrets": [["name"]], "hostAliases": [["ip"]],
        "ports": [["containerPort"], ["port"]], "topologySpreadConstraints": [["topologyKey"]],
    ]

    /// The members by which the elements of a list are told apart; `nil` where it is one value.
    static func identity(of key: String, _ elements: [JSON]) -> [String]? {
        identities[key]?.first { names in
            elements.allSatisfy { element in names.allSatisfy { element[$0] != nil } }
        }
    }
}

extension JSON {
    /// What an overlay adds where nothing was: without removals and directives.
    fileprivate var withoutDirectives: JSON {
        switch self {
        case .object(let members):
            .object(members.filter { !$0.value.isNull && $0.key != "$patch" }.mapValues(\.withoutDirectives))
        case .array(let elements):
            .array(elements.filter { $0["$patch"]?.string != "delete" }.map(\.withoutDirectives))
        default: self
        }
    }
}
