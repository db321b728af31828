// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Model

/// Gives the app's pods copies of their own of the ConfigMaps and Secrets that come with them as manifests.
///
/// An object that is changed in place reaches pods of the old revision as well: mounted files change under them, and one
/// that is started again reads the new values, be the new revision tried out beside it or about to be put back. A copy
/// cannot change, and its name tells its content, so each revision keeps what it was released with, a changed value is a
/// new revision, and going back goes back in this, too. Copies that no revision of the app's wants are pruned like anything
/// else. The object itself is applied as it is written, for whoever else reads it.
struct ConfigCopies {
    /// On a ConfigMap or Secret: `disabled` has the pods read the object itself.
    static let annotation = "ballast.dev/copies"
    /// On a copy: whose it is.
    static let label = "ballast.dev/copy-of"

    private struct Source: Hashable {
        var type: ResourceType
        var name: String
    }

    /// What the app wants, with the copies beside what they are of and the app's own Deployment reading them.
    static func settled(_ objects: [DesiredObject], app: App) -> [DesiredObject] {
        let own = ObjectReference(.deployments, namespace: app.namespace.text, name: app.name.text)
        let path = ["spec", "template", "spec"]
        var keys: [Source: Set<String>] = [:]
        guard var deployment = objects.first(where: { $0.reference == own }) else { return objects }
        deployment.object.json.change(at: path) { pod in
            eachName(in: &pod) { type, name, read in
                keys[Source(type: type, name: name), default: []].formUnion(read)
                return nil
            }
        }
        var copies: [Source: DesiredObject] = [:]
        for object in objects {
            let source = Source(type: object.type, name: object.object.name)
            copies[source] = keys[source].flatMap { copy(of: object, holding: $0, app) } ?? copies[source]
        }
        guard !copies.isEmpty else { return objects }
        deployment.object.json.change(at: path) { pod in
            eachName(in: &pod) { type, name, _ in copies[Source(type: type, name: name)]?.object.name }
        }
        return objects.flatMap { object in
            let isSource = object.object.namespace == app.namespace.text
            let copy = isSource ? copies[Source(type: object.type, name: object.object.name)] : nil
            return [object.reference == own ? deployment : object] + (copy.map { [$0] } ?? [])
        }
    }

    // MARK: The copies

    /// `nil` where the pods have to read the object itself: a person says so, or others write in it, so that its content is
    /// not known here.
    private static func copy(of source: DesiredObject, holding keys: Set<String>, _ app: App) -> DesiredObject? {
        let object = source.object
        guard object.namespace == app.namespace.text, object.annotations[annotation] != "disabled",
            object.name != PullSecret.name(for: app), !isFilledByServer(object)
        else { return nil }
        let content = content(of: object)
        let known = ["data", "binaryData"].flatMap { content[$0]?.object?.map(\.key) ?? [] }
        guard !known.isEmpty, keys.isSubset(of: known) else { return nil }
        var copy = KubeObject(source.type, namespace: object.namespace, name: name(object.name, content))
        // Nothing in it tells of the app: two apps that have the same object share the copy, too.
        var labels = ["app.kubernetes.io/managed-by": "ballast"]
        if object.name.utf8.count <= 63 { labels[label] = object.name }
        copy.json.set(JSON(labels), at: ["metadata", "labels"])
        for (key, value) in content.object ?? [:] { copy[key] = value }
        copy["immutable"] = true
        return DesiredObject(object: copy, type: source.type, place: source.place)
    }

    private static func isFilledByServer(_ object: KubeObject) -> Bool {
        ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"].contains(object["type"]?.string)
    }

    /// What pods see, its members in one order, so that the order in a file says nothing.
    private static func content(of object: KubeObject) -> JSON {
        var content: JSON = [:]
        for key in ["data", "binaryData"] {
            guard let members = object[key]?.object, !members.isEmpty else { continue }
            content[key] = .object(JSONObject(members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
        }
        if let type = object["type"] { content["type"] = type }
        return content
    }

    private static func name(_ name: String, _ content: JSON) -> String {
        let digest = "\(ContentHash.digest(of: content.bytes))".split(separator: ":").last ?? ""
        return "\(name.prefix(242))-\(digest.prefix(10))"
    }

    // MARK: Where a pod names them

    /// Hands over each ConfigMap and Secret that a pod reads, with the keys that must be there, and takes another name for it.
    private static func eachName(
        in pod: inout JSON,
        _ rename: (_ type: ResourceType, _ name: String, _ keys: [String]) -> String?
    ) {
        func settle(_ value: inout JSON, _ member: String, _ type: ResourceType, _ name: String = "name") {
            value.change(at: [member]) { reference in
                guard let old = reference[name]?.string else { return }
                let read = [reference] + (reference["items"]?.array ?? [])
                let keys = reference["optional"] == true ? [] : read.compactMap { $0["key"]?.string }
                if let new = rename(type, old, keys) { reference[name] = .string(new) }
            }
        }
        for list in ["containers", "initContainers"] {
            pod.change(at: [list]) { containers in
                containers.eachElement { container in
                    container.change(at: ["env"]) { variables in
                        variables.eachElement { variable in
                            variable.change(at: ["valueFrom"]) { value in
                                settle(&value, "configMapKeyRef", .configMaps)
                                settle(&value, "secretKeyRef", .secrets)
                            }
                        }
                    }
                    container.change(at: ["envFrom"]) { sources in
                        sources.eachElement { source in
                            settle(&source, "configMapRef", .configMaps)
                            settle(&source, "secretRef", .secrets)
                        }
                    }
                }
            }
        }
        pod.change(at: ["volumes"]) { volumes in
            volumes.eachElement { volume in
                settle(&volume, "configMap", .configMaps)
                settle(&volume, "secret", .secrets, "secretName")
                volume.change(at: ["projected", "sources"]) { sources in
                    sources.eachElement { source in
                        settle(&source, "configMap", .configMaps)
                        settle(&source, "secret", .secrets)
                    }
                }
            }
        }
    }
}
