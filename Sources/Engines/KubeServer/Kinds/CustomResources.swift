// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// One version of a custom resource: how its objects are read and checked.
struct CustomVersion: Sendable {
    /// The CustomResourceDefinition's name.
    let definition: String
    let type: ResourceType
    let schema: StructuralSchema
    /// The schema as the definition gives it.
    let source: JSON
    /// Versions differ in their schemas, so an object that was written as another version is pruned on the way out.
    var readsAnew = false
    /// The definition is on its way out and waits for its objects, so no new ones come.
    var isLeaving = false
}

/// The rules of custom resources: those of their schema.
struct CustomStrategy: KindStrategy {
    let version: CustomVersion
    let traits: KindTraits

    init(_ version: CustomVersion, hasStatus: Bool) {
        self.version = version
        traits = KindTraits(
            generationCountsAll: true,
            hasStatus: hasStatus,
            statusResets: .all,
            validatesChangesAlone: true,
            allowsUnconditionalUpdate: false
        )
    }

    func setDefaults(_ object: inout JSON) { version.schema.setDefaults(&object) }

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) {
        if traits.hasStatus { object["status"] = nil }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) { version.schema.validate(object, &errors) }

    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) { checkRules(object, from: nil, &errors) }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        version.schema.validate(object, from: old, &errors)
        checkRules(object, from: old, &errors)
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        if let schema = version.schema.property("status"), let status = object["status"] {
            schema.validate(status, from: old["status"], as: "status", &errors)
            if version.schema.hasRules, !schema.hasRules, errors.blocksRules { errors.addUncheckedRules() }
        }
        checkRules(object, from: old, &errors)
    }

    private func checkRules(_ object: JSON, from old: JSON?, _ errors: inout FieldErrors) {
        guard version.schema.hasRules, !errors.blocksRules else { return }
        var check = RuleCheck()
        check.check(object, from: old, version.schema, version.type)
        errors.append(check.errors)
    }

    /// Objections of rules to what an update leaves as it was.
    func warnings(_ object: JSON, from old: JSON?) -> [String] {
        guard version.schema.hasRules, let old else { return [] }
        var check = RuleCheck()
        check.check(object, from: old, version.schema, version.type)
        return check.tolerated
    }
}

extension Resource {
    /// The resources that a CustomResourceDefinition serves, one a version.
    static func custom(_ definition: JSON) -> [Resource] {
        let spec = definition["spec"] ?? [:]
        guard let group = spec["group"]?.string, let plural = spec[path: "names", "plural"]?.string,
            let kind = spec[path: "names", "kind"]?.string
        else { return [] }
        let name = definition[path: "metadata", "name"]?.string ?? "\(plural).\(group)"
        let schemas = Set((spec["versions"]?.array ?? []).map { $0[path: "schema", "openAPIV3Schema"] ?? [:] })
        return (spec["versions"]?.array ?? []).compactMap { version in
            guard version["served"]?.bool == true, let text = version["name"]?.string else { return nil }
            let type = ResourceType(
                group: group,
                version: text,
                plural: plural,
                kind: kind,
                isNamespaced: spec["scope"]?.string != "Cluster"
            )
            let source = version[path: "schema", "openAPIV3Schema"] ?? [:]
            let schema = StructuralSchema(source)
            let isLeaving = definition[path: "metadata", "deletionTimestamp"]?.string != nil
            let rules = CustomVersion(
                definition: name,
                type: type,
                schema: schema,
                source: source,
                readsAnew: schemas.count > 1,
                isLeaving: isLeaving
            )
            return custom(type, rules, version, spec)
        }
    }

    private static func custom(
        _ type: ResourceType,
        _ custom: CustomVersion,
        _ version: JSON,
        _ spec: JSON
    ) -> Resource {
        let names = spec["names"] ?? [:]
        let hasStatus = version[path: "subresources", "status"] != nil
        var resource = Resource(
            type,
            singular: names["singular"]?.string,
            strategy: CustomStrategy(custom, hasStatus: hasStatus),
            columns: CustomColumns(version["additionalPrinterColumns"]?.array)
        )
        resource.listKind = names["listKind"]?.string ?? "\(type.kind)List"
        resource.shortNames = (names["shortNames"]?.array ?? []).compactMap(\.string)
        resource.categories = (names["categories"]?.array ?? []).compactMap(\.string)
        resource.verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]
        if custom.isLeaving { resource.verbs.removeAll { ["create", "patch", "update"].contains($0) } }
        resource.custom = custom
        if version["deprecated"]?.bool == true {
            let text = version["deprecationWarning"]?.string
            resource.deprecation = text ?? "\(type.apiVersion) \(type.kind) is deprecated"
        }
        let fields = (version["selectableFields"]?.array ?? []).compactMap { $0["jsonPath"]?.string }
        resource.fields = .paths(fields.map { $0.hasPrefix(".") ? String($0.dropFirst()) : $0 })
        if hasStatus {
            resource.subresources.append(
                .init(name: "status", kind: type.kind, verbs: Subresource.readWrite)
            )
        }
        if let scale = version[path: "subresources", "scale"] {
            resource.scale = ScalePaths(scale)
            resource.subresources.append(
                .init(
                    name: "scale",
                    kind: "Scale",
                    group: "autoscaling",
                    version: "v1",
                    verbs: Subresource.readWrite
                )
            )
        }
        // All versions of an object are stored under the version that the definition names.
        let storage = (spec["versions"]?.array ?? []).first { $0["storage"]?.bool == true }?["name"]?.string
        resource.storageHash = StorageVersionHash.text(
            group: type.group,
            version: storage ?? type.version,
            kind: type.kind
        )
        return resource
    }
}

extension ScalePaths {
    /// From a definition's `scale`, whose paths are dotted.
    init(_ scale: JSON) {
        func parts(_ member: String) -> [String] {
            (scale[member]?.string ?? "").split(separator: ".").map(String.init)
        }
        self.init(
            specReplicas: parts("specReplicasPath"),
            statusReplicas: parts("statusReplicasPath"),
            selector: scale["labelSelectorPath"] == nil ? nil : parts("labelSelectorPath")
        )
    }
}
