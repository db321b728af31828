// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

extension KubernetesServer {
    /// Streams a container's log from the node.
    func logResponse(_ call: Call, _ name: String) async throws(KubeStatus) -> APIResponse {
        let options = try logOptions(call)
        let stream = try await logs(call.namespace ?? "", name, options)
        return APIResponse(status: 200, contentType: "text/plain", body: .stream(stream))
    }

    private func logOptions(_ call: Call) throws(KubeStatus) -> LogOptions {
        var options = LogOptions(container: call.query["container"].flatMap { $0.isEmpty ? nil : $0 })
        options.follows = call.query.flag("follow")
        options.isPrevious = call.query.flag("previous")
        options.hasTimestamps = call.query.flag("timestamps")
        options.tailLines = try call.query.integer("tailLines")
        options.limitBytes = try call.query.integer("limitBytes")
        var errors = FieldErrors()
        if let lines = options.tailLines, lines < 0 {
            errors.invalid("tailLines", lines, "must be greater than or equal to 0")
        }
        if let limit = options.limitBytes, limit < 1 {
            errors.invalid("limitBytes", limit, "must be greater than 0")
        }
        let seconds = try call.query.integer("sinceSeconds")
        if let seconds {
            if seconds < 1 { errors.invalid("sinceSeconds", seconds, "must be greater than 0") }
            options.since = clock.now - .seconds(min(seconds, 1 << 31))
        }
        if let text = call.query["sinceTime"], !text.isEmpty {
            options.since = Timestamp(text)
            if options.since == nil { throw .badRequest("parsing time \(FieldErrors.quoted(text)): cannot parse it") }
            if seconds != nil { errors.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified") }
        }
        guard errors.isEmpty else { throw .invalid(errors, kind: "PodLogOptions", group: "", name: call.name ?? "") }
        return options
    }

    func logs(
        _ namespace: String,
        _ name: String,
        _ given: LogOptions
    ) async throws(KubeStatus) -> AsyncThrowingStream<[UInt8], any Error> {
        guard let resource = catalog.resource(of: .pods) else { throw .noSuchResource }
        let pod = try StoredJSON.parse(try find(resource, namespace, name).value, as: nil)
        var options = given
        options.container = try container(given.container, of: pod, name)
        guard !(pod[path: "spec", "nodeName"]?.string ?? "").isEmpty else {
            return AsyncThrowingStream { $0.finish() }
        }
        guard let nodeAgent else { throw Self.disconnected(name) }
        do {
            let uid = pod[path: "metadata", "uid"]?.string ?? ""
            return try await nodeAgent.logs(namespace: namespace, pod: name, uid: uid, options)
        } catch let failure as Failure {
            throw failure.status ?? Self.status(of: failure)
        } catch {
            throw .fault("\(error)")
        }
    }

    private static func status(of failure: Failure) -> KubeStatus {
        switch failure.code {
        case .invalidInput: .badRequest(failure.message)
        case .notFound: KubeStatus(code: 404, reason: "NotFound", message: failure.message, details: .null)
        default:
            KubeStatus(code: failure.code.httpStatus, reason: "InternalError", message: failure.message, details: .null)
        }
    }

    /// The container that is meant; a pod with one needs no name.
    private func container(_ wanted: String?, of pod: JSON, _ name: String) throws(KubeStatus) -> String {
        func names(_ member: String) -> [String] {
            (pod[path: "spec", member]?.array ?? []).compactMap { $0["name"]?.string }
        }
        let main = names("containers")
        let initial = names("initContainers")
        if let wanted {
            guard (main + initial + names("ephemeralContainers")).contains(wanted) else {
                throw .badRequest("container \(wanted) is not valid for pod \(name)")
            }
            return wanted
        }
        if main.count == 1, initial.isEmpty, let only = main.first { return only }
        let preferred = pod[path: "metadata", "annotations"]?["kubectl.kubernetes.io/default-container"]?.string
        if main.count == 1, let only = main.first { return only }
        if let preferred, main.contains(preferred) { return preferred }
        var message =
            "a container name must be specified for pod \(name), choose one of: [\(main.joined(separator: " "))]"
        if !initial.isEmpty { message += " or one of the init containers: [\(initial.joined(separator: " "))]" }
        throw .badRequest(message)
    }
}
