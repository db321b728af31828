// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

extension SessionEnd {
    /// How the end of a session is told on the status channel; `nil` where the protocol says nothing of a good end.
    func message(in language: ChannelProtocol) -> [UInt8]? {
        guard language.hasStatus else {
            switch self {
            case .failed(let words): return Array(words.utf8)
            case .exited(let code) where code != 0: return Array("command terminated with exit code \(code)".utf8)
            case .exited, .ended: return nil
            }
        }
        return status.bytes
    }

    /// As a `Status`: clients read the exit code from its cause.
    private var status: JSON {
        switch self {
        case .ended, .exited(code: 0): return ["metadata": [:], "status": "Success"]
        case .exited(let code):
            let words = "command terminated with exit code \(code)"
            return [
                "metadata": [:], "status": "Failure",
                "message": .string("command terminated with non-zero exit code: \(words)"), "reason": "NonZeroExitCode",
                "details": ["causes": [["reason": "ExitCode", "message": .string(String(code))]]],
            ]
        case .failed(let words):
            let message = "Internal error occurred: \(words)"
            return [
                "metadata": [:], "status": "Failure", "message": .string(message), "reason": "InternalError",
                "details": ["causes": [["message": .string(words)]]], "code": 500,
            ]
        }
    }
}
