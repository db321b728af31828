// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The paths of one resource: what can be done there, with which parameters, bodies and answers.
struct OpenAPIPaths {
    let resource: OpenAPIResource
    let dialect: OpenAPIDialect

    private var type: ResourceType { resource.type }
    private static let meta = "io.k8s.apimachinery.pkg.apis.meta.v1"
    private static let mediaTypes = ["application/json", "application/yaml"]

    /// Path and item, for OpenAPI's `paths`.
    var all: [(key: String, value: JSON)] {
        let namespace = type.isNamespaced ? "{namespace}" : nil
        let collection = type.path(namespace: namespace)
        let name = type.isNamespaced ? ["name", "namespace"] : ["name"]
        let scope = type.isNamespaced ? ["namespace"] : []
        var paths: [(key: String, value: JSON)] = []
        if type.isNamespaced, has("list") {
            paths.append((type.path(), item([], [("get", list(isAcrossNamespaces: true))])))
        }
        func add(_ path: String, _ parameters: [String], _ operations: [(String, JSON?)]) {
            guard operations.contains(where: { $0.1 != nil }) else { return }
            paths.append((path, item(parameters, operations)))
        }
        add(collection, scope, collectionOperations)
        add("\(collection)/{name}", name, objectOperations)
        for sub in resource.subresources { add("\(collection)/{name}/\(sub.name)", name, operations(of: sub)) }
        return paths
    }

    private func has(_ verb: String) -> Bool { resource.verbs.contains(verb) }

    private func item(_ parameters: [String], _ operations: [(String, JSON?)]) -> JSON {
        var item = JSONObject()
        for (method, operation) in operations { if let operation { item[method] = operation } }
        let all = parameters.map { pathParameter($0) } + [queryParameter("pretty", "string")]
        item["parameters"] = .array(all)
        return .object(item)
    }

    private func pathParameter(_ name: String) -> JSON {
        let schema: JSON = ["type": "string", "uniqueItems": true]
        var parameter: JSON = ["name": .string(name), "in": "path", "required": true]
        if dialect == .v3 {
            parameter["schema"] = schema
        } else {
            parameter["type"] = "string"
            parameter["uniqueItems"] = true
        }
        return parameter
    }

    private func queryParameter(_ name: String, _ kind: String) -> JSON {
        var parameter: JSON = ["name": .string(name), "in": "query"]
        if dialect == .v3 {
            parameter["schema"] = ["type": .string(kind), "uniqueItems": true]
        } else {
            parameter["type"] = .string(kind)
            parameter["uniqueItems"] = true
        }
        return parameter
    }

    private static let kinds: [String: String] = [
        "allowWatchBookmarks": "boolean", "force": "boolean", "follow": "boolean", "gracePeriodSeconds": "integer",
        "limit": "integer", "limitBytes": "integer", "orphanDependents": "boolean", "ports": "integer",
        "previous": "boolean", "sendInitialEvents": "boolean", "sinceSeconds": "integer", "stderr": "boolean",
        "stdin": "boolean", "stdout": "boolean", "tailLines": "integer", "timeoutSeconds": "integer",
        "timestamps": "boolean", "tty": "boolean", "watch": "boolean",
    ]

    private static let listParameters = [
        "allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion",
        "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch",
    ]
    private static let deleteParameters = ["dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"]
    private static let connectionParameters = [
        "attach": ["container", "stderr", "stdin", "stdout", "tty"],
        "exec": ["command", "container", "stderr", "stdin", "stdout", "tty"], "portforward": ["ports"],
    ]
    private static let writeParameters = ["dryRun", "fieldManager", "fieldValidation"]
    private static let logParameters = [
        "container", "follow", "limitBytes", "previous", "sinceSeconds", "tailLines", "timestamps",
    ]

    /// One operation. `body` and `answer` name schemas; without an answer it is plain text.
    private func operation(
        _ action: String,
        _ name: String,
        kind: ResourceType,
        parameters: [String] = [],
        body: String? = nil,
        bodyTypes: [String] = ["*/*"],
        isBodyRequired: Bool = true,
        answer: String?,
        answerTypes: [String] = Self.mediaTypes,
        codes: [String] = ["200"]
    ) -> JSON {
        var operation: JSON = ["tags": [.string(tag)], "operationId": .string(operationName(name))]
        var listed = parameters.map { queryParameter($0, Self.kinds[$0] ?? "string") }
        if let body {
            let reference = dialect.reference(body)
            if dialect == .v3 {
                let content = bodyTypes.map { ($0, ["schema": reference] as JSON) }
                operation["requestBody"] = ["content": .object(JSONObject(content)), "required": .bool(isBodyRequired)]
            } else {
                listed.insert(
                    ["name": "body", "in": "body", "required": .bool(isBodyRequired), "schema": reference],
                    at: 0
                )
                operation["consumes"] = .array(bodyTypes.map { .string($0) })
            }
        }
        if dialect == .v2 { operation["produces"] = .array(answerTypes.map { .string($0) }) }
        if !listed.isEmpty { operation["parameters"] = .array(listed) }
        operation["responses"] = responses(answer, answerTypes, codes)
        operation["x-kubernetes-action"] = .string(action)
        operation["x-kubernetes-group-version-kind"] = OpenAPISchemas.groupVersionKind(kind)
        return operation
    }

    private func responses(_ answer: String?, _ types: [String], _ codes: [String]) -> JSON {
        let schema: JSON = answer.map { dialect.reference($0) } ?? ["type": "string"]
        var result = JSONObject()
        for code in codes {
            let text: JSON = code == "200" ? "OK" : code == "201" ? "Created" : "Accepted"
            if dialect == .v3 {
                let content = types.map { ($0, ["schema": schema] as JSON) }
                result[code] = ["description": text, "content": .object(JSONObject(content))]
            } else {
                result[code] = ["description": text, "schema": schema]
            }
        }
        result["401"] = ["description": "Unauthorized"]
        return .object(result)
    }

    /// `apps_v1`, `core_v1`, `rbacAuthorization_v1`.
    private var tag: String { "\(groupWord)_\(type.version)" }

    private var groupWord: String {
        guard !type.group.isEmpty else { return "core" }
        let group = type.group.hasSuffix(".k8s.io") ? String(type.group.dropLast(".k8s.io".count)) : type.group
        let parts = group.split(separator: ".").map(String.init)
        return parts[0] + parts.dropFirst().map(\.capitalizedFirst).joined()
    }

    /// `read#Deployment` becomes `readAppsV1NamespacedDeployment`.
    private func operationName(_ pattern: String) -> String {
        let parts = pattern.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let scope = type.isNamespaced ? "Namespaced" : ""
        return parts[0] + groupWord.capitalizedFirst + type.version.capitalizedFirst
            + (parts.count > 1 ? parts[1].replacingFirst("$", with: scope + type.kind) : "")
    }
}

extension OpenAPIPaths {
    private func list(isAcrossNamespaces: Bool) -> JSON {
        let name = isAcrossNamespaces ? "list#\(type.kind)ForAllNamespaces" : "list#$"
        return operation(
            "list",
            name,
            kind: type,
            parameters: Self.listParameters,
            answer: resource.listSchemaName
        )
    }

    private var collectionOperations: [(String, JSON?)] {
        let schema = resource.schemaName
        let remove = operation(
            "deletecollection",
            "delete#Collection$",
            kind: type,
            parameters: Self.deleteParameters
                + Self.listParameters.filter { $0 != "watch" && $0 != "allowWatchBookmarks" },
            body: "\(Self.meta).DeleteOptions",
            isBodyRequired: false,
            answer: "\(Self.meta).Status"
        )
        let create = operation(
            "post",
            "create#$",
            kind: type,
            parameters: Self.writeParameters,
            body: schema,
            answer: schema,
            codes: ["200", "201", "202"]
        )
        return [
            ("get", has("list") ? list(isAcrossNamespaces: false) : nil), ("post", has("create") ? create : nil),
            ("delete", has("deletecollection") ? remove : nil),
        ]
    }

    private var objectOperations: [(String, JSON?)] {
        let schema = resource.schemaName
        let remove = operation(
            "delete",
            "delete#$",
            kind: type,
            parameters: Self.deleteParameters,
            body: "\(Self.meta).DeleteOptions",
            isBodyRequired: false,
            answer: "\(Self.meta).Status",
            codes: ["200", "202"]
        )
        return readAndWrite(type, schema, suffix: "", verbs: resource.verbs) + [
            ("delete", has("delete") ? remove : nil)
        ]
    }

    private func readAndWrite(
        _ kind: ResourceType,
        _ schema: String,
        suffix: String,
        verbs: [String]
    ) -> [(String, JSON?)] {
        let read = operation("get", "read#$\(suffix)", kind: kind, answer: schema)
        let replace = operation(
            "put",
            "replace#$\(suffix)",
            kind: kind,
            parameters: Self.writeParameters,
            body: schema,
            answer: schema,
            codes: ["200", "201"]
        )
        var patchTypes = ["application/json-patch+json", "application/merge-patch+json"]
        if resource.customSchema == nil { patchTypes.append("application/strategic-merge-patch+json") }
        patchTypes.append("application/apply-patch+yaml")
        let patch = operation(
            "patch",
            "patch#$\(suffix)",
            kind: kind,
            parameters: Self.writeParameters + ["force"],
            body: "\(Self.meta).Patch",
            bodyTypes: patchTypes,
            answer: schema,
            codes: ["200", "201"]
        )
        return [
            ("get", verbs.contains("get") ? read : nil), ("put", verbs.contains("update") ? replace : nil),
            ("patch", verbs.contains("patch") ? patch : nil),
        ]
    }

    private func operations(of sub: OpenAPIResource.Subresource) -> [(String, JSON?)] {
        let suffix = sub.name.capitalizedFirst
        guard let kind = sub.kind else {
            let read = operation(
                "get",
                "read#$\(suffix)",
                kind: type,
                parameters: sub.name == "log" ? Self.logParameters : [],
                answer: nil
            )
            return [("get", sub.verbs.contains("get") ? read : nil)]
        }
        if let parameters = Self.connectionParameters[sub.name], type == .pods {
            return ["get", "post"].map { method in
                let operation = operation(
                    "connect",
                    "connect#\(method.capitalizedFirst)$\(suffix)",
                    kind: kind,
                    parameters: parameters,
                    answer: nil,
                    answerTypes: ["*/*"]
                )
                return (method, operation)
            }
        }
        let schema = kind == type ? resource.schemaName : SchemaTable.builtIn.schema(kind)?.type?.name
        guard let schema else { return [] }
        let create = operation(
            "post",
            "create#$\(suffix)",
            kind: kind,
            parameters: Self.writeParameters,
            body: schema,
            answer: schema,
            codes: ["200", "201", "202"]
        )
        return readAndWrite(kind, schema, suffix: suffix, verbs: sub.verbs)
            + [("post", sub.verbs.contains("create") ? create : nil)]
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }

    fileprivate func replacingFirst(_ mark: Character, with text: String) -> String {
        guard let place = firstIndex(of: mark) else { return self }
        return self[..<place] + text + self[index(after: place)...]
    }
}
