// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Keeps a second process (or a second log in this one) off the same file; the kernel lets go when the process ends.
final class FileLock: Sendable {
    private let descriptor: Mutex<Int32?>

    /// Takes the lock on a file beside `path`; `nil` where somebody else holds it.
    init?(beside path: String) throws(LogError) {
        let lockPath = "\(path).lock"
        let opened = unsafe open(lockPath, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard opened >= 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw .unusable("cannot create '\(lockPath)': \(reason); check the data folder's owner and free space")
        }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            close(opened)
            return nil
        }
        descriptor = Mutex(opened)
    }

    /// Lets go, once.
    func release() {
        if let held = descriptor.withLock({ $0.take() }) { close(held) }
    }

    deinit { release() }
}
