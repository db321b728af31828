// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
package import Model
import NIOHTTP1
package import Ports

extension KubernetesClient {
    package func watch(_ query: ListQuery, after version: ResourceVersion) async throws -> AsyncThrowingStream<
        WatchEvent, any Error
    > {
        let length = Int.random(in: link.limits.watch)
        let parameters =
            Self.parameters(query) + [
                ("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", version.text),
                ("timeoutSeconds", String(length)),
            ]
        let response = try await link.open(
            APICall(.GET, query.type.path(namespace: query.namespace), query: parameters)
        )
        // The server ends the watch; one that does not is no longer there, whatever the connection says.
        let limit = Duration.seconds(length) + link.limits.watchGrace
        let source = BodySource(response.body, silence: limit, of: link)
        return AsyncThrowingStream {
            guard let line = try await source.nextLine() else { return nil }
            return try Self.event(line)
        }
    }

    package func logs(_ pod: ObjectReference, _ options: LogOptions) async throws -> AsyncThrowingStream<
        [UInt8], any Error
    > {
        let response = try await link.open(APICall(.GET, "\(pod.path)/log", query: Self.parameters(options)))
        // A log that is followed may be silent for days; the system notices when the other side is gone.
        let source = BodySource(response.body, silence: options.follows ? nil : link.limits.deadline, of: link)
        return AsyncThrowingStream { try await source.nextChunk() }
    }

    private static func event(_ line: [UInt8]) throws -> WatchEvent {
        let json: JSON
        do {
            json = try JSON(parsing: line)
        } catch {
            throw Failure(.fault, "a watch event is no JSON", cause: error)
        }
        let object = KubeObject(json["object"] ?? [:])
        switch json["type"]?.string {
        case "ADDED": return .added(object)
        case "MODIFIED": return .modified(object)
        case "DELETED": return .deleted(object)
        case "BOOKMARK": return .bookmark(object.resourceVersion)
        default:
            let unknown = KubeStatus(code: 500, reason: "", message: "unknown watch event: \(json.text.prefix(200))")
            throw Failure(KubeStatus(object.json) ?? unknown)
        }
    }

    private static func parameters(_ options: LogOptions) -> [(String, String)] {
        var parameters: [(String, String)] = []
        if let container = options.container { parameters.append(("container", container)) }
        if options.follows { parameters.append(("follow", "true")) }
        if options.isPrevious { parameters.append(("previous", "true")) }
        if options.hasTimestamps { parameters.append(("timestamps", "true")) }
        if let lines = options.tailLines { parameters.append(("tailLines", String(lines))) }
        if let since = options.since { parameters.append(("sinceTime", since.description)) }
        if let bytes = options.limitBytes { parameters.append(("limitBytes", String(bytes))) }
        return parameters
    }
}
