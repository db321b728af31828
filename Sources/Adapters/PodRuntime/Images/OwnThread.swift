// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc

/// Runs work on a thread of its own, which ends with it.
///
/// For system calls that change the calling thread for good: its network namespace, its current folder.
enum OwnThread {
    private final class Job {
        let work: () -> Void
        init(_ work: @escaping () -> Void) { self.work = work }
    }

    static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let job = Job { continuation.resume(with: Result(catching: work)) }
            var thread = pthread_t()
            let handle = unsafe Unmanaged.passRetained(job)
            let status = unsafe pthread_create(
                &thread,
                nil,
                { argument in
                    // The one retain of `passRetained` is taken back here, on the thread that alone received it.
                    if let argument = unsafe argument {
                        unsafe Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().work()
                    }
                    return nil
                },
                handle.toOpaque()
            )
            guard status != 0 else {
                // Nobody joins it: its end frees it.
                pthread_detach(thread)
                return
            }
            unsafe handle.release()
            continuation.resume(
                throwing: LayerError("cannot start a thread: \(unsafe String(cString: strerror(status)))")
            )
        }
    }
}
