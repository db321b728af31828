// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Keeps a second process (or a second log in this one) off the same file; the kernel lets go when the process ends.
final class FileLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock on a file beside `path`; `nil` where somebody else holds it.
    init?(beside path: String) throws(LogError) {
        let lockPath = "\(path).lock"
        descriptor = unsafe open(lockPath, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw .unusable("cannot create '\(lockPath)': \(reason); check the data folder's owner and free space")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
    }

    deinit { close(descriptor) }
}
