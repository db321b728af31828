// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Ports

/// Port forwarding as other clients do it: two channels of a WebSocket for each port, and one connection for each.
struct PortForwardChannels {
    let ports: any PodPorts
    /// From the request; the channels are numbered by their order.
    let wanted: [Int]
    let language: ChannelProtocol

    func run(_ frames: WebSocketLink.Frames) async {
        let inputs = wanted.map { _ in TunnelInput() }
        await UpgradedConnection(frames: frames).run { link, inbound in
            defer { for input in inputs { input.finish() } }
            try await link.read(inbound) { message in
                guard case .data(let channel, let bytes) = try language.event(in: message), channel % 2 == 0,
                    Int(channel / 2) < inputs.count
                else { return }
                await inputs[Int(channel / 2)].write(bytes)
            }
        } work: { link in
            await work(inputs, link)
        }
    }

    /// Goes on until all connections have ended, the pod has gone, or the task is cancelled.
    private func work(_ inputs: [TunnelInput], _ link: WebSocketLink) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await ports.waitUntilGone() }
            group.addTask {
                await withDiscardingTaskGroup { connections in
                    for (place, input) in inputs.enumerated() {
                        connections.addTask { await serve(UInt8(place * 2), wanted[place], input, link) }
                    }
                }
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func serve(_ channel: UInt8, _ port: Int, _ input: TunnelInput, _ link: WebSocketLink) async {
        // Each channel begins with its port, low byte first.
        let mark = [UInt8(truncatingIfNeeded: port), UInt8(truncatingIfNeeded: port >> 8)]
        do {
            for place in [channel, channel + 1] { try await send(mark, on: place, link) }
            let stream = try await ports.dial(port)
            await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    while let bytes = await stream.read() {
                        guard (try? await send(bytes, on: channel, link)) != nil else { return true }
                    }
                    return true
                }
                group.addTask { await input.pour(into: stream) }
                for await isOver in group where isOver { break }
                group.cancelAll()
            }
        } catch {
            // A client that has gone cannot be told.
            try? await send(Array("error forwarding port \(port): \(error)".utf8), on: channel + 1, link)
        }
        input.abort()
    }

    private func send(_ bytes: [UInt8], on channel: UInt8, _ link: WebSocketLink) async throws {
        try await link.send(language.message(channel, bytes), isText: language.isText)
    }
}
