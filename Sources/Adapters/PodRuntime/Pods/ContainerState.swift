// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// How a container ended.
struct Termination: Sendable, Equatable {
    var id: ContainerID?
    var exitCode: Int
    /// `Completed`, `Error`, `OOMKilled`, `StartError`, `ContainerStatusUnknown`.
    var reason: String
    var message: String?
    var startedAt: Timestamp?
    var finishedAt: Timestamp?
}

/// A container that was started.
struct Launch: Sendable, Equatable {
    var id: ContainerID
    /// The image by digest.
    var imageID: String
    var startedAt: Timestamp
    var hasPostStart = false
}

/// Why a container could not be started.
struct LaunchFailure: Error, Sendable, Equatable {
    enum Stage: Sendable {
        /// The image cannot be had; retried with growing delays.
        case image
        /// Something the container refers to is missing or not allowed; retried soon.
        case configuration
        /// The container could not be made; retried soon.
        case creation
        /// Its program could not be started: it counts as a run that failed.
        case start
        /// The pod is being stopped.
        case cancelled
    }

    var stage: Stage
    /// The container's waiting reason, such as `ErrImagePull`.
    var reason: String
    var message: String
    /// A container that could not start leaves its id and image behind.
    var id: ContainerID?
    var imageID: String?
}

/// One container within a pod's state machine.
struct ContainerState: Sendable {
    enum Phase: Sendable, Equatable {
        /// Not tried yet.
        case idle
        case launching
        /// Could not be started; tried again then.
        case held(until: Timestamp)
        case running(ContainerID)
        case stopping(ContainerID)
        /// Ended; `nil`: for good.
        case ended(restartAt: Timestamp?)
    }

    /// What the status shows.
    enum Display: Sendable, Equatable {
        case waiting(reason: String, message: String?)
        case running(since: Timestamp)
        case terminated(Termination)
    }

    var spec: ContainerSpec
    var phase = Phase.idle
    var display: Display
    var last: Termination?
    /// How many containers were created for it; the restart count is one less.
    var attempts = 0
    var id: ContainerID?
    var imageID: String?
    /// Whether the startup probe, if there is one, has passed.
    var isStarted = false
    var isReady = false
    /// Whether the postStart hook still runs; what follows waits for it.
    var isInHook = false
    /// Whether it once ran well enough for what follows it to start.
    var hasServed = false
    /// Whether it was stopped to run again with another image, whatever the restart policy.
    var isReplaced = false
    var crashes = RestartBackoff()
    var pulls = RestartBackoff(delaysFirst: true)
    /// When `ErrImagePull` turns into `ImagePullBackOff`.
    var pullBackOffAt: Timestamp?

    init(_ spec: ContainerSpec, waitingReason: String) {
        self.spec = spec
        display = .waiting(reason: waitingReason, message: nil)
    }

    var restartCount: Int { max(0, attempts - 1) }

    var isAlive: Bool {
        switch phase {
        case .running, .stopping: true
        default: false
        }
    }

    var isBusy: Bool { phase == .launching || (isInHook && isAlive) }

    var hasEndedForGood: Bool { phase == .ended(restartAt: nil) }

    /// The end it came to, where it is over for good.
    var finalTermination: Termination? {
        guard hasEndedForGood else { return nil }
        if case .terminated(let termination) = display { return termination }
        return last
    }

    /// Whether it may be started at `now`.
    func isDue(at now: Timestamp) -> Bool {
        switch phase {
        case .idle: true
        case .held(let until): until <= now
        case .ended(let restartAt?): restartAt <= now
        default: false
        }
    }

    /// The next moment at which it wants attention.
    var deadline: Timestamp? {
        switch phase {
        case .held(let until): min(until, pullBackOffAt ?? until)
        case .ended(let restartAt): restartAt
        default: nil
        }
    }
}
