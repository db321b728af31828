// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The largest object a ConfigMap or Secret may be.
private let contentLimit = 1 << 20

struct ConfigMapStrategy: KindStrategy {
    let traits = KindTraits(checksMetadataAgain: true)

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let text = object["data"]?.object ?? [:]
        let binary = object["binaryData"]?.object ?? [:]
        var size = 0
        for (key, value) in text.sorted(by: { $0.key < $1.key }) {
            for problem in NameRules.configKeyProblems(key) { errors.invalid("data[\(key)]", key, problem) }
            if binary[key] != nil { errors.invalid("data[\(key)]", key, "duplicate of key present in binaryData") }
            size += value.string?.utf8.count ?? 0
        }
        for (key, value) in binary.sorted(by: { $0.key < $1.key }) {
            for problem in NameRules.configKeyProblems(key) { errors.invalid("binaryData[\(key)]", key, problem) }
            size += (value.string?.utf8.count ?? 0) * 3 / 4
        }
        // The real server names no field here.
        if size > contentLimit { errors.tooLong("[]", contentLimit) }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        Immutability.check(object, old, ["data", "binaryData"], &errors)
    }
}

/// ConfigMaps and Secrets that promise not to change.
enum Immutability {
    private static let words = "field is immutable when `immutable` is set"

    static func check(_ object: JSON, _ old: JSON, _ members: [String], _ errors: inout FieldErrors) {
        guard old["immutable"]?.bool == true else { return }
        if object["immutable"]?.bool != true { errors.forbidden("immutable", words) }
        for member in members where (object[member] ?? [:]) != (old[member] ?? [:]) {
            errors.forbidden(member, words)
        }
    }
}

struct SecretStrategy: KindStrategy {
    let traits = KindTraits(checksMetadataAgain: true)

    func setDefaults(_ object: inout JSON) {
        if (object["type"]?.string ?? "").isEmpty { object["type"] = "Opaque" }
        guard let texts = object["stringData"]?.object else { return }
        var data = object["data"] ?? [:]
        for (key, value) in texts { data[key] = .string(Base64.encode(Array((value.string ?? "").utf8))) }
        if !(data.object?.isEmpty ?? true) { object["data"] = data }
        object["stringData"] = nil
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        var size = 0
        for (key, value) in (object["data"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            for problem in NameRules.configKeyProblems(key) { errors.invalid("data[\(key)]", key, problem) }
            size += (value.string?.utf8.count ?? 0) * 3 / 4
        }
        if size > contentLimit { errors.tooLong("data", contentLimit) }
        let type = object["type"]?.string ?? ""
        switch type {
        case "kubernetes.io/service-account-token":
            let annotation = "kubernetes.io/service-account.name"
            if (object[path: "metadata", "annotations"]?[annotation]?.string ?? "").isEmpty {
                errors.required("metadata.annotations[\(annotation)]")
            }
        case "kubernetes.io/dockercfg": checkDocker(object, ".dockercfg", &errors)
        case "kubernetes.io/dockerconfigjson": checkDocker(object, ".dockerconfigjson", &errors)
        case "kubernetes.io/basic-auth":
            if object[path: "data", "username"] == nil, object[path: "data", "password"] == nil {
                errors.required("data[username]")
                errors.required("data[password]")
            }
        case "kubernetes.io/ssh-auth":
            if (object[path: "data", "ssh-privatekey"]?.string ?? "").isEmpty {
                errors.required("data[ssh-privatekey]")
            }
        case "kubernetes.io/tls":
            for key in ["tls.crt", "tls.key"] where object["data"]?[key] == nil { errors.required("data[\(key)]") }
        default: break
        }
    }

    private func checkDocker(_ object: JSON, _ key: String, _ errors: inout FieldErrors) {
        guard let text = object["data"]?[key]?.string else { return errors.required("data[\(key)]") }
        guard let bytes = Base64.decode(text) else { return }
        do {
            _ = try JSON(parsing: bytes)
        } catch {
            errors.invalid("data[\(key)]", "<secret contents redacted>", GoJSONErrors.text(error, in: bytes))
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        if object["type"] != old["type"] { errors.invalid("type", object["type"] ?? "", "field is immutable") }
        Immutability.check(object, old, ["data"], &errors)
    }
}

struct ServiceAccountStrategy: KindStrategy {
    let traits = KindTraits(checksMetadataAgain: true, returnsDeleted: true)
}

struct LeaseStrategy: KindStrategy {
    let traits = KindTraits(allowsCreateOnUpdate: true, allowsUnconditionalUpdate: false)

    /// Elections that the server would hold are not among the features of a release.
    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) {
        for member in ["strategy", "preferredHolder"] where object[path: "spec", member] != nil {
            object.set(nil, at: ["spec", member])
        }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        if let seconds = spec["leaseDurationSeconds"]?.int, seconds <= 0 {
            errors.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
        }
        if let count = spec["leaseTransitions"]?.int, count < 0 {
            errors.invalid("spec.leaseTransitions", count, "must be greater than or equal to 0")
        }
    }
}
