// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Dispatch

/// Runs jobs on Dispatch's threads instead of the small pool that all other tasks share, for work that waits for the disk.
final class BlockingExecutor: TaskExecutor {
    private let queue: DispatchQueue

    init(label: String) { queue = DispatchQueue(label: label, attributes: .concurrent) }

    func enqueue(_ job: consuming ExecutorJob) {
        // The runtime hands a job over once, and it is run once.
        let job = UnownedJob(job)
        queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
