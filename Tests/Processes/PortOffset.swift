// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Synchronization

/// The `--port-offset` of a test's own `up`: no two of this run are the same, and none is in use on this machine.
enum PortOffset {
    private static let step = 20

    /// Runs of several clones on one machine begin at places of their own.
    private static let last = Mutex(2000 + Int(getpid() % 50) * 400)

    static func next() -> Int {
        last.withLock { offset in
            repeat {
                // The edge's 8080 and an offset of 22,000 stay below the ephemeral ports.
                offset = offset + step < 22000 ? offset + step : 2000
            } while !isFree(offset)
            return offset
        }
    }

    private static func isFree(_ offset: Int) -> Bool {
        [RunningBallast.kubernetesPort, RunningBallast.registryPort, RunningBallast.edgePort]
            .allSatisfy { canListen(on: $0 + offset) }
    }

    private static func canListen(on port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // Ports of connections that just ended are free.
        var reuse: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
