// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#endif

/// Errors of other libraries in a few words for a person: what the system says, without types, domains and dictionaries.
package enum ErrorWords {
    /// One line, lower case, no full stop: "no such file or directory".
    package static func text(of error: any Error) -> String {
        switch error {
        case let failure as Failure: return failure.description
        case let error as POSIXError: return text(ofNumber: error.code.rawValue)
        case let error as CocoaError:
            if let underlying = error.underlying as? POSIXError { return text(of: underlying) }
            return text(of: error.code)
        default: return text(in: "\(error)")
        }
    }

    /// What the system calls error number `number`.
    package static func text(ofNumber number: Int32) -> String {
        let words = unsafe String(cString: strerror(number))
        return words.prefix(1).lowercased() + words.dropFirst()
    }

    private static func text(of code: CocoaError.Code) -> String {
        switch code {
        case .fileNoSuchFile, .fileReadNoSuchFile: text(ofNumber: ENOENT)
        case .fileReadNoPermission, .fileWriteNoPermission: text(ofNumber: EACCES)
        case .fileWriteOutOfSpace: text(ofNumber: ENOSPC)
        case .fileWriteFileExists: text(ofNumber: EEXIST)
        case .fileWriteVolumeReadOnly: text(ofNumber: EROFS)
        default: "file error \(code.rawValue)"
        }
    }

    /// Network libraries wrap the system's error number in words of their own.
    private static func text(in description: String) -> String {
        let line = String(description.prefix { $0 != "\n" })
        guard let place = line.firstRange(of: "errno: "),
            let number = Int32(line[place.upperBound...].prefix { $0.isNumber })
        else { return line }
        return text(ofNumber: number)
    }
}
