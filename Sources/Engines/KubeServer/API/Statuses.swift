// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The answers a Kubernetes API gives when it does not do what was asked, with its own words.
extension KubeStatus {
    private static func about(_ type: ResourceType, _ name: String, kind: String? = nil) -> JSON {
        var details = JSONObject()
        if !name.isEmpty { details["name"] = .string(name) }
        if !type.group.isEmpty { details["group"] = .string(type.group) }
        details["kind"] = .string(kind ?? type.plural)
        return .object(details)
    }

    static func notFound(_ type: ResourceType, _ name: String) -> KubeStatus {
        KubeStatus(
            code: 404,
            reason: "NotFound",
            message: "\(type) \"\(name)\" not found",
            details: about(type, name)
        )
    }

    static func alreadyExists(_ type: ResourceType, _ name: String) -> KubeStatus {
        KubeStatus(
            code: 409,
            reason: "AlreadyExists",
            message: "\(type) \"\(name)\" already exists",
            details: about(type, name)
        )
    }

    static func conflict(_ type: ResourceType, _ name: String, _ why: String, resource: String? = nil) -> KubeStatus {
        let shown = resource ?? type.plural
        let qualified = type.group.isEmpty ? shown : "\(shown).\(type.group)"
        return KubeStatus(
            code: 409,
            reason: "Conflict",
            message: "Operation cannot be fulfilled on \(qualified) \"\(name)\": \(why)",
            details: about(type, name, kind: shown)
        )
    }

    static func modified(_ type: ResourceType, _ name: String) -> KubeStatus {
        conflict(
            type,
            name,
            "the object has been modified; please apply your changes to the latest version and try again"
        )
    }

    static func forbidden(_ type: ResourceType, _ name: String, _ why: String, causes: [Cause] = []) -> KubeStatus {
        let subject = name.isEmpty ? "\(type)" : "\(type) \"\(name)\""
        return KubeStatus(
            code: 403,
            reason: "Forbidden",
            message: "\(subject) is forbidden: \(why)",
            causes: causes,
            details: about(type, name)
        )
    }

    static func badRequest(_ message: String) -> KubeStatus {
        KubeStatus(code: 400, reason: "BadRequest", message: message, details: .null)
    }

    static func fault(_ message: String) -> KubeStatus {
        KubeStatus(code: 500, reason: "InternalError", message: message, details: .null)
    }

    static let noSuchResource = KubeStatus(
        code: 404,
        reason: "NotFound",
        message: "the server could not find the requested resource",
        details: [:]
    )

    static let methodNotAllowed = KubeStatus(
        code: 405,
        reason: "MethodNotAllowed",
        message: "the server does not allow this method on the requested resource",
        details: [:]
    )

    static func notYet(_ what: String) -> KubeStatus {
        KubeStatus(
            code: 501,
            reason: "NotImplemented",
            message: "\(what) is not served by this cluster yet",
            details: [:]
        )
    }

    static let definitionIsLeaving = KubeStatus(
        code: 405,
        reason: "MethodNotAllowed",
        message: "create not allowed while custom resource definition is terminating",
        details: [:]
    )

    static let unauthorized = KubeStatus(
        code: 401,
        reason: "Unauthorized",
        message: "Unauthorized",
        details: .null
    )

    static func unsupportedMediaType(_ accepted: [String]) -> KubeStatus {
        let list = accepted.joined(separator: ", ")
        return KubeStatus(
            code: 415,
            reason: "UnsupportedMediaType",
            message: "the body of the request was in an unknown format - accepted media types include: \(list)",
            details: .null
        )
    }

    static func notAcceptable(_ available: [String]) -> KubeStatus {
        let list = available.joined(separator: ", ")
        return KubeStatus(
            code: 406,
            reason: "NotAcceptable",
            message: "406: Not Acceptable\n\nAvailable representations: \(list)",
            details: [:]
        )
    }

    /// The type is one that is written, but not in the form that was asked for.
    static func unknownForm(_ available: [String]) -> KubeStatus {
        refusedForm("only the following media types are accepted: \(available.joined(separator: ", "))")
    }

    static func refusedForm(_ message: String) -> KubeStatus {
        KubeStatus(code: 406, reason: "NotAcceptable", message: message, details: .null)
    }

    static func tooLarge(limit: Int) -> KubeStatus {
        KubeStatus(
            code: 413,
            reason: "RequestEntityTooLarge",
            message: "Request entity too large: limit is \(limit)",
            details: .null
        )
    }

    static func expired(_ message: String) -> KubeStatus {
        KubeStatus(code: 410, reason: "Expired", message: message, details: .null)
    }

    /// Whoever asks for a version that may still come is told when to try again; the past cannot grow.
    static func tooLargeVersion(_ asked: Int64, current: Int64, mayCome: Bool) -> KubeStatus {
        let hint: JSON = mayCome ? ["retryAfterSeconds": 1] : [:]
        return KubeStatus(
            code: 504,
            reason: "Timeout",
            message: "Timeout: Too large resource version: \(asked), current: \(current)",
            causes: [Cause(reason: "ResourceVersionTooLarge", message: "Too large resource version")],
            details: hint
        )
    }

    /// The `Status` object itself. `details` that are null and without causes are left out.
    var json: JSON {
        var object: JSONObject = [
            "kind": "Status", "apiVersion": "v1", "metadata": continuation.map { ["continue": .string($0)] } ?? [:],
            "status": "Failure", "message": .string(message),
        ]
        if !reason.isEmpty { object["reason"] = .string(reason) }
        if !details.isNull || !causes.isEmpty {
            var details = self.details.object ?? [:]
            if !causes.isEmpty { details["causes"] = .array(causes.map(\.json)) }
            object["details"] = .object(details)
        }
        object["code"] = JSON(code)
        return .object(object)
    }
}

extension KubeStatus.Cause {
    var json: JSON {
        var object: JSONObject = [:]
        if !reason.isEmpty { object["reason"] = .string(reason) }
        object["message"] = .string(message)
        if let field { object["field"] = .string(field) }
        return .object(object)
    }
}
