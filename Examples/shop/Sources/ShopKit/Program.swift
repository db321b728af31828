// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Glibc

/// Runs a service as a process: exit code 0 after SIGTERM, 1 when it fails, 78 when its environment is wrong.
public enum Program {
    /// Must be called from `main`, before any other thread exists: all of them inherit the blocked signals, and
    /// the main thread waits for those here, which as process 1 of a container it has to do by itself.
    public static func main(
        _ app: String,
        dataFolder: String = "/tmp",
        _ run: @escaping @Sendable (Service) async throws -> Void
    ) -> Never {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        signal(SIGPIPE, SIG_IGN)

        let service: Service
        do {
            let environment = ProcessInfo.processInfo.environment
            service = Service(try Configuration(app: app, environment: environment, dataFolder: dataFolder))
        } catch {
            Log(app: app, version: "").error("bad configuration", ["error": JSONText("\(error)")])
            exit(78)
        }
        // The process is this task; it ends by exiting.
        Task {
            do {
                try await run(service)
                exit(0)
            } catch let error as Configuration.Invalid {
                service.log.error("bad configuration", ["error": JSONText("\(error)")])
                exit(78)
            } catch {
                service.log.error("failed", ["error": JSONText("\(error)")])
                exit(1)
            }
        }
        var received: Int32 = 0
        while true {
            if sigwait(&signals, &received) == 0 { service.stop() }
        }
    }
}
