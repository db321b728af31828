// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Puts an object into the form in which it is applied: one spelling for what has several, and nothing that only the
/// server writes.
enum ObjectNormaliser {
    static func normalised(_ object: KubeObject, type: ResourceType) -> KubeObject {
        var json = object.json.withoutNulls
        json["status"] = nil
        for key in [
            "creationTimestamp", "managedFields", "uid", "resourceVersion", "generation", "selfLink",
            "deletionTimestamp", "deletionGracePeriodSeconds",
        ] {
            json.set(nil, at: ["metadata", key])
        }
        if !type.isNamespaced { json.set(nil, at: ["metadata", "namespace"]) }
        for key in ["labels", "annotations"] where json[path: "metadata", key] == [:] {
            json.set(nil, at: ["metadata", key])
        }
        var object = KubeObject(json)
        switch (type.group, type.kind) {
        case ("", "Secret"): encodeTexts(of: &object)
        case ("", "Service"): object.json.change(at: ["spec", "ports"]) { $0.eachElement(Self.nameProtocol) }
        case ("", "Pod"): object.json.change(at: ["spec"], Self.settlePod)
        case ("apps", _), ("batch", "Job"), ("", "ReplicationController"):
            object.json.change(at: ["spec", "template", "spec"], Self.settlePod)
        case ("batch", "CronJob"):
            object.json.change(at: ["spec", "jobTemplate", "spec", "template", "spec"], Self.settlePod)
        case ("apiextensions.k8s.io", "CustomResourceDefinition"): dropUnreadableBundle(of: &object)
        default: break
        }
        return object
    }

    /// `stringData` is a way to write: the server keeps `data`, and nobody could own the text.
    private static func encodeTexts(of secret: inout KubeObject) {
        guard case .object(let texts)? = secret["stringData"] else { return }
        for (key, value) in texts {
            secret.json.set(.string(Base64.encode(Array((value.scalarText ?? "").utf8))), at: ["data", key])
        }
        secret["stringData"] = nil
    }

    /// The protocol is part of what tells two ports apart, so it must be said.
    private static func nameProtocol(_ port: inout JSON) {
        if port.object != nil, port["protocol"] == nil { port["protocol"] = "TCP" }
    }

    private static func settlePod(_ spec: inout JSON) {
        for list in ["containers", "initContainers"] {
            spec.change(at: [list]) { containers in
                containers.eachElement { container in
                    container.change(at: ["ports"]) { $0.eachElement(Self.nameProtocol) }
                    for kind in ["requests", "limits"] {
                        container.change(at: ["resources", kind]) { amounts in
                            guard case .object(let members) = amounts else { return }
                            amounts = .object(members.mapValues { $0.scalarText.map { .string($0) } ?? $0 })
                        }
                    }
                }
            }
        }
    }

    /// A placeholder for what a certificate controller fills in is refused by the server, and must not undo that work.
    private static func dropUnreadableBundle(of definition: inout KubeObject) {
        let path = ["spec", "conversion", "webhook", "clientConfig"]
        guard let bundle = definition.json[path: path]?["caBundle"]?.string else { return }
        let text = Base64.decode(bundle).map { String(decoding: $0, as: UTF8.self) } ?? ""
        if !text.contains("-----BEGIN CERTIFICATE-----") { definition.json.set(nil, at: path + ["caBundle"]) }
    }
}

extension JSON {
    /// The value without members that are `null`: in an object to be applied they mean what their absence means.
    var withoutNulls: JSON {
        switch self {
        case .object(let members): .object(members.filter { !$0.value.isNull }.mapValues(\.withoutNulls))
        case .array(let elements): .array(elements.map(\.withoutNulls))
        default: self
        }
    }

    /// Changes what stands at a path, where something does.
    mutating func change(at path: [String], _ body: (inout JSON) -> Void) {
        guard let first = path.first else { return body(&self) }
        guard var child = self[first] else { return }
        child.change(at: Array(path.dropFirst()), body)
        self[first] = child
    }

    mutating func eachElement(_ body: (inout JSON) -> Void) {
        guard case .array(var elements) = self else { return }
        for place in elements.indices { body(&elements[place]) }
        self = .array(elements)
    }
}
