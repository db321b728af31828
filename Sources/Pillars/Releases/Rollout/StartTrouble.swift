// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Why a container cannot be set up or started, read off the words of the kubelet and of the runtime below it.
struct StartTrouble {
    let code: Diagnosis.Code
    let cause: String
    let advice: String
    let grace: Duration

    private init(_ code: Diagnosis.Code, _ cause: String, _ advice: String, _ grace: Duration) {
        self.code = code
        self.cause = cause
        self.advice = advice
        self.grace = grace
    }

    /// `CreateContainerConfigError`: what the pod refers to, and what the node is to make sure of.
    static func configuration(_ message: String, of title: String) -> StartTrouble {
        let words = message.lowercased()
        let cause = "the \(title) cannot be set up: \(message)"
        if words.contains("runasnonroot") {
            return StartTrouble(
                .mustNotBeRoot,
                cause,
                "have the image run as a user with a number ('user: 65532'), or set securityContext.runAsUser",
                .seconds(5)
            )
        }
        // The node asks the cluster for them; after its own restart that takes a while.
        if words.contains("timed out waiting for the condition") || words.contains("not registered") {
            return StartTrouble(
                .configurationMissing,
                cause,
                "see whether the node reaches the cluster's API",
                .seconds(60)
            )
        }
        let isKey = words.contains("couldn't find key") || words.contains("non-existent config key")
        return StartTrouble(
            .configurationMissing,
            cause,
            isKey
                ? "add that key, or correct it in the app file"
                : "create what is missing, or correct the reference in the app file",
            .seconds(5)
        )
    }

    /// What a runtime says of a program that it could not start.
    static func start(_ message: String, of title: String) -> StartTrouble {
        let words = message.lowercased()
        if words.contains("exec format error") {
            return StartTrouble(
                .wrongArchitecture,
                "the program of the \(title) is built for another processor: \(message)",
                "build it for the nodes' architecture",
                .zero
            )
        }
        if words.contains("no space left on device") {
            return StartTrouble(
                .nodeDiskFull,
                "the node has no room for the \(title): \(message)",
                "free some space on the node",
                .seconds(30)
            )
        }
        let cause = "the \(title) cannot start: \(message)"
        // A slow node gives up on a call that is still under way; the next ones come after it.
        let isSlow = words.contains("context deadline exceeded") || words.contains("is reserved for")
        return StartTrouble(
            .cannotStart,
            cause,
            isSlow ? "look at the node, which is too busy to make containers in time" : advice(words),
            isSlow ? .seconds(60) : .seconds(5)
        )
    }

    private static func advice(_ words: String) -> String {
        let known: [(phrase: String, advice: String)] = [
            ("no command specified", "give the image an entrypoint"),
            ("executable file not found", "correct the entrypoint: the image has no such program in its PATH"),
            ("permission denied", "make the program executable for the user that the image runs as"),
            ("is a directory", "correct the entrypoint: it names a folder"),
            ("not a directory", "correct the mounts: one goes over a file with a folder, or the other way round"),
            (
                "no such file or directory",
                "check entrypoint and mounts: the image lacks that file, or what its program needs"
            ),
            ("read-only file system", "mount a volume where the container has to write"),
        ]
        return known.first { words.contains($0.phrase) }?.advice ?? "check entrypoint, files and mounts of the image"
    }
}
