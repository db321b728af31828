// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
package import Model
import NIOCore
import NIOHTTP1
package import Ports

extension KubernetesClient {
    package func watch(_ query: ListQuery, after version: ResourceVersion) async throws -> AsyncThrowingStream<
        WatchEvent, any Error
    > {
        let parameters =
            Self.parameters(query) + [
                ("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", version.text),
            ]
        let response = try await start(
            request(.GET, query.type.path(namespace: query.namespace), query: parameters)
        )
        return AsyncThrowingStream { continuation in
            // The stream's consumer owns this task: it ends with the stream.
            let task = Task {
                do {
                    var lines = LineSplitter()
                    for try await chunk in response.body {
                        for line in lines.append(chunk.readableBytesView) {
                            continuation.yield(try Self.event(line))
                        }
                    }
                    continuation.finish()
                } catch let failure as Failure {
                    continuation.finish(throwing: failure)
                } catch {
                    continuation.finish(throwing: unreachable(error))
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    package func logs(_ pod: ObjectReference, _ options: LogOptions) async throws -> AsyncThrowingStream<
        [UInt8], any Error
    > {
        let response = try await start(request(.GET, "\(pod.path)/log", query: Self.parameters(options)))
        return AsyncThrowingStream { continuation in
            // The stream's consumer owns this task: it ends with the stream.
            let task = Task {
                do {
                    for try await chunk in response.body { continuation.yield(Array(chunk.readableBytesView)) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: unreachable(error))
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
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

/// Cuts a stream of chunks into lines; keeps the unfinished last one.
struct LineSplitter {
    private var rest: [UInt8] = []

    mutating func append(_ chunk: some Collection<UInt8>) -> [[UInt8]] {
        rest.append(contentsOf: chunk)
        guard rest.contains(0x0A) else { return [] }
        var lines = rest.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        rest = lines.removeLast()
        return lines.filter { !$0.isEmpty }
    }
}
