// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import HTTPTypes
import KubeServer
import NIOCore

/// What a connection does once it is a WebSocket.
struct AcceptedConnection: Sendable {
    /// What the client is told that was chosen; `nil` where it offered nothing.
    var subprotocol: String?
    var run: @Sendable (WebSocketLink.Frames) async -> Void
}

/// Decides which requests become connections into pods.
///
/// Whatever it turns down goes on as a plain request, which is answered with the reason.
struct ConnectionGate: Sendable {
    let hosts: HostGuard
    let identities: ClientIdentities
    let connect: @Sendable (APIRequest) async -> ConnectionAnswer

    /// `nil` where the request is to be answered as any other.
    func accept(_ request: HTTPRequest, on channel: any Channel) async -> AcceptedConnection? {
        guard request.method == .get, hosts.refusal(of: request) == nil else { return nil }
        let bearer = Credentials.bearer(request.headerFields)
        var call = KubernetesResponder.apiRequest(request, body: [], user: nil, bearer: bearer)
        guard KubernetesServer.isConnection(call.path) else { return nil }
        let offered = Credentials.subprotocols(request.headerFields)
            .filter { !$0.hasPrefix(Credentials.bearerSubprotocol) }
        let isForward = call.path.hasSuffix("/portforward")
        let isTunnel = isForward && offered.contains(PortForwardTunnel.name)
        let language = ChannelProtocol.choose(among: offered)
        guard isTunnel || language != nil else { return nil }
        do {
            call.user = try await identities.user(of: channel)
        } catch {
            // An empty token is nobody's, which is refused.
            call.bearer = bearer ?? ""
        }
        guard case .open(let connection) = await connect(call) else { return nil }
        return accepted(connection, language, isTunnel: isTunnel, isNamed: !offered.isEmpty)
    }

    private func accepted(
        _ connection: PodConnection,
        _ language: ChannelProtocol?,
        isTunnel: Bool,
        isNamed: Bool
    ) -> AcceptedConnection? {
        switch connection {
        case .ports(let ports, _) where isTunnel:
            return AcceptedConnection(subprotocol: PortForwardTunnel.name) { frames in
                await PortForwardTunnel(ports: ports).run(frames)
            }
        case .ports(let ports, let wanted):
            guard let language, !wanted.isEmpty, wanted.count <= 100 else { return nil }
            return AcceptedConnection(subprotocol: isNamed ? language.rawValue : nil) { frames in
                await PortForwardChannels(ports: ports, wanted: wanted, language: language).run(frames)
            }
        case .session(let session, let options):
            guard let language else { return nil }
            return AcceptedConnection(subprotocol: isNamed ? language.rawValue : nil) { frames in
                await ChannelSession(session: session, options: options, language: language).run(frames)
            }
        }
    }
}
