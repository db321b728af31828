// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
package import Ports

/// A stream of bytes into a pod that the server has agreed to.
package enum PodConnection: Sendable {
    /// `pods/exec` and `pods/attach`.
    case session(any ContainerSession, SessionOptions)
    /// `pods/portforward`; `wanted` are the ports in the request, for clients that cannot name them later.
    case ports(any PodPorts, wanted: [Int])
}

/// The answer to a request for a connection into a pod.
package enum ConnectionAnswer: Sendable {
    case open(PodConnection)
    case refused(APIResponse)
}

extension KubernetesServer {
    static let connections: Set<String> = ["attach", "exec", "portforward"]

    /// Whether a path is one of a connection into a pod.
    package static func isConnection(_ path: String) -> Bool {
        guard case .objects(let target) = Route(path) else { return false }
        return target.group.isEmpty && target.plural == "pods" && connections.contains(target.subresource)
    }

    /// Decides whether a connection into a pod is to be opened. Nothing has happened in the pod when this returns.
    package func connect(_ request: APIRequest) async -> ConnectionAnswer {
        let route = Route(request.path)
        do throws(KubeStatus) {
            let known = try admitted(request, route)
            guard case .objects(let target) = route, Self.isConnection(request.path), let name = target.name,
                let resource = catalog.resource(of: .pods)
            else { throw .noSuchResource }
            return try await connection(try Call(known, target, resource), name)
        } catch {
            return .refused(Self.response(error))
        }
    }

    /// What a request for a connection gets that brought no protocol for it, or one that is not spoken here.
    func connectionResponse(_ call: Call, _ name: String) async throws(KubeStatus) -> APIResponse {
        if case .refused(let answer) = try await connection(call, name) { return answer }
        guard call.request.upgrade.lowercased() != "websocket" else {
            throw .badRequest("none of the WebSocket subprotocols of pods/\(call.subresource) was asked for")
        }
        throw .badRequest(
            "this cluster streams over WebSocket alone, not over \(call.request.upgrade): use kubectl 1.31 or newer "
                + "with KUBECTL_REMOTE_COMMAND_WEBSOCKETS and KUBECTL_PORT_FORWARD_WEBSOCKETS unset"
        )
    }

    private func connection(_ call: Call, _ name: String) async throws(KubeStatus) -> ConnectionAnswer {
        try checkMayCreate(call, name)
        let pod = try StoredJSON.parse(try find(call.resource, call.namespace, name).value, as: nil)
        let isForward = call.subresource == "portforward"
        let container = isForward ? "" : try container(call.query["container"] ?? "", in: pod, name)
        guard !(pod[path: "spec", "nodeName"]?.string ?? "").isEmpty else {
            throw .badRequest("pod \(name) does not have a host assigned")
        }
        guard !call.request.upgrade.isEmpty else { throw .badRequest("Upgrade request required") }
        guard let nodeAgent else { throw Self.disconnected(name) }
        let uid = pod[path: "metadata", "uid"]?.string ?? ""
        do {
            if isForward {
                let wanted = try Self.ports(call.query)
                let ports = try await nodeAgent.ports(namespace: call.namespace ?? "", pod: name, uid: uid)
                return .open(.ports(ports, wanted: wanted))
            }
            let options = try Self.options(call, container)
            let session = try await nodeAgent.session(namespace: call.namespace ?? "", pod: name, uid: uid, options)
            return .open(.session(session, options))
        } catch let status as KubeStatus {
            throw status
        } catch let failure as Failure where failure.code == .notFound || failure.code == .invalidInput {
            // What the node refuses reaches the client as the node's own words, without a Status around them.
            let status = failure.code == .invalidInput ? 400 : isForward ? 404 : 500
            return .refused(Self.text(failure.message, status: status))
        } catch {
            throw .fault("\(error)")
        }
    }

    /// A connection can do anything, so that being allowed to read is not enough, although a WebSocket begins with GET.
    private func checkMayCreate(_ call: Call, _ name: String) throws(KubeStatus) {
        guard call.request.method != "POST", let user = call.request.user, !user.isMaster else { return }
        let asked = AccessRequest(
            verb: "create",
            namespace: call.namespace ?? "",
            group: call.type.group,
            resource: call.type.plural,
            sub: call.subresource,
            name: name
        )
        let decision = try access.policy().decide(asked, by: user)
        guard decision.isAllowed else { throw .forbidden(.pods, name, decision.reason) }
    }

    private func container(_ wanted: String, in pod: JSON, _ name: String) throws(KubeStatus) -> String {
        func names(_ member: String) -> [String] {
            (pod[path: "spec", member]?.array ?? []).compactMap { $0["name"]?.string }
        }
        let main = names("containers")
        let all = names("initContainers") + main + names("ephemeralContainers")
        if !wanted.isEmpty {
            guard all.contains(wanted) else {
                throw .badRequest("container \(wanted) is not valid for pod \(name)")
            }
            return wanted
        }
        guard main.count == 1, let only = main.first else {
            throw .badRequest(
                "a container name must be specified for pod \(name), choose one of: [\(all.joined(separator: " "))]"
            )
        }
        return only
    }

    private static func options(_ call: Call, _ container: String) throws -> SessionOptions {
        let query = call.query
        var options = SessionOptions(container: container)
        options.hasInput = query.flag("stdin")
        options.hasOutput = query.flag("stdout")
        options.isTerminal = query.flag("tty")
        options.hasErrors = query.flag("stderr") && !options.isTerminal
        guard options.hasInput || options.hasOutput || query.flag("stderr") else {
            throw Failure(.invalidInput, "you must specify at least 1 of stdin, stdout, stderr")
        }
        guard call.subresource == "exec" else { return options }
        options.command = query.all("command")
        guard options.command.contains(where: { !$0.isEmpty }) else {
            throw KubeStatus.badRequest("a command is required")
        }
        return options
    }

    private static func ports(_ query: Query) throws -> [Int] {
        try query.all("ports").flatMap { $0.split(separator: ",") }.map { text in
            guard let port = Int(text), (1...65535).contains(port) else {
                throw Failure(.invalidInput, "unable to parse \(FieldErrors.quoted(String(text))) as a port")
            }
            return port
        }
    }

    static func disconnected(_ pod: String) -> KubeStatus {
        KubeStatus(
            code: 503,
            reason: "ServiceUnavailable",
            message: "the node that runs pod \(pod) is not connected",
            details: .null
        )
    }
}
