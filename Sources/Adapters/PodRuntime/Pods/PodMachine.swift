// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Decides what happens next to one pod. It knows no clock, no task, no container runtime and no API.
///
/// The worker feeds it events and carries out its actions in order. The same events at the same times yield the same actions.
struct PodMachine: Sendable {
    enum Event: Sendable {
        /// The volumes and the sandbox (addresses, namespaces) are there.
        case setUpFinished
        case setUpFailed(reason: String, message: String)
        case launched(Int, Launch)
        case launchFailed(Int, LaunchFailure)
        /// The postStart hook ended; `nil`: well.
        case hookFinished(Int, ContainerID, failure: String?)
        case exited(Int, Termination)
        /// A probe passed its threshold, one way or the other.
        case probed(Int, ContainerID, ProbeKind, succeeds: Bool)
        case deletionRequested(grace: Duration)
        /// The object is gone from the API.
        case vanished(grace: Duration)
        /// The node stops; the pod's object stays as it is.
        case shutDown(grace: Duration)
        /// The object changed; the image of a container is what may differ in its specification.
        case changed(PodSpec)
        /// Something that the pod refers to changed: what waits for it is worth another try.
        case referencesChanged
        /// The pod keeps more on disk than it may; the message says what.
        case exceeded(message: String)
        case tornDown
        /// The API has removed the object.
        case objectDeleted
        case tick
    }

    enum Action: Sendable, Equatable {
        case setUp
        case launch(Int, attempt: Int)
        case cancelLaunch(Int)
        case probe(Int, ContainerID)
        case stop(Int, ContainerID, grace: Duration, because: StopReason)
        case record(PodEvent)
        /// Unmount and disconnect; every container has ended.
        case tearDown
        /// Remove the object from the API.
        case deleteObject
        /// Nothing is left to do for this pod.
        case leave
    }

    enum StopReason: Sendable, Equatable {
        case podStops
        case probeFailed(ProbeKind)
        case hookFailed
        case definitionChanged

        func message(for container: String) -> String {
            switch self {
            case .podStops: "Stopping container \(container)"
            case .probeFailed(let kind):
                "Container \(container) failed \(kind.rawValue.lowercased()) probe, will be restarted"
            case .hookFailed: "FailedPostStartHook"
            case .definitionChanged: "Container \(container) definition changed, will be restarted"
            }
        }
    }

    enum Stage: Sendable, Equatable {
        case new
        case settingUp
        case setUpHeld(until: Timestamp)
        case running
        case stopping
        case tearingDown
        case down
    }

    private(set) var pod: PodSpec
    let startTime: Timestamp
    private(set) var containers: [ContainerState]
    private(set) var stage = Stage.new
    private(set) var hasSandbox = false
    /// Why the pod as a whole failed, apart from its containers.
    private(set) var failure: (reason: String, message: String)?

    /// The phase with which the pod had ended before this node started; nothing changes it any more.
    private(set) var settledPhase: String?

    private var setUpFailures = 0
    private var stopGrace: Duration?
    private var isDeleted = false
    private var hasVanished = false
    private var isShuttingDown = false
    private var hasAskedForDeletion = false

    /// Starts from what the pod's object says of earlier runs: none of those containers is left.
    init(_ pod: PodSpec, at now: Timestamp) {
        self.pod = pod
        let status = pod.object.status
        startTime = status["startTime"]?.string.flatMap { Timestamp($0) } ?? now
        let hasInitial = pod.containers.contains { $0.role != .regular }
        containers = pod.containers.map { spec in
            ContainerState(spec, waitingReason: hasInitial ? "PodInitializing" : "ContainerCreating")
        }
        recall(status, at: now)
    }

    var isTerminal: Bool { phase == "Succeeded" || phase == "Failed" }

    /// When to send `tick`, if nothing else happens before.
    var deadline: Timestamp? {
        var moments = stage == .running ? containers.compactMap(\.deadline) : []
        if case .setUpHeld(let until) = stage { moments.append(until) }
        if stage == .running, failure == nil, let limit = pod.activeDeadline { moments.append(startTime + limit) }
        return moments.min()
    }

    mutating func handle(_ event: Event, at now: Timestamp) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .setUpFinished:
            hasSandbox = true
            if stage == .settingUp { stage = .running }
        case .setUpFailed(let reason, let message): failSetUp(reason, message, at: now, &actions)
        case .launched(let index, let launch): noteLaunch(index, launch, &actions)
        case .launchFailed(let index, let failure): noteFailure(index, failure, at: now, &actions)
        case .hookFinished(let index, let id, let failure): finishHook(index, id, failure, &actions)
        case .exited(let index, let termination): noteExit(index, termination, at: now, &actions)
        case .probed(let index, let id, let kind, let succeeds): noteProbe(index, id, kind, succeeds, &actions)
        case .deletionRequested(let grace):
            isDeleted = true
            stop(grace: grace, &actions)
        case .vanished(let grace):
            isDeleted = true
            hasVanished = true
            stop(grace: grace, &actions)
        case .shutDown(let grace):
            isShuttingDown = true
            stop(grace: grace, &actions)
        case .changed(let pod): takeImages(of: pod, &actions)
        case .referencesChanged: release(at: now)
        case .exceeded(let message): evict(message, &actions)
        case .tornDown:
            hasSandbox = false
            stage = .down
        case .objectDeleted: hasVanished = true
        case .tick: break
        }
        advance(at: now, &actions)
        return actions
    }
}

// MARK: - What happens next

extension PodMachine {
    private mutating func advance(at now: Timestamp, _ actions: inout [Action]) {
        switch stage {
        case .new where isTerminal:
            stage = .down
            finish(&actions)
        case .new:
            stage = .settingUp
            actions.append(.setUp)
        case .setUpHeld(let until) where until <= now:
            stage = .settingUp
            actions.append(.setUp)
        case .settingUp, .setUpHeld: break
        case .running: run(at: now, &actions)
        case .stopping: continueStopping(&actions)
        case .tearingDown: break
        case .down: finish(&actions)
        }
    }

    private mutating func run(at now: Timestamp, _ actions: inout [Action]) {
        if let limit = pod.activeDeadline, failure == nil, now >= startTime + limit {
            failure = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
            let message = "Pod was active on the node longer than the specified deadline"
            actions.append(.record(PodEvent(.normal, "DeadlineExceeded", message)))
            stop(grace: pod.gracePeriod, &actions)
            return continueStopping(&actions)
        }
        revealPullBackOff(at: now, &actions)
        if hasFinished {
            stop(grace: pod.gracePeriod, &actions)
            return continueStopping(&actions)
        }
        guard !containers.contains(where: \.isBusy), let next = nextToLaunch(at: now) else { return }
        containers[next].phase = .launching
        actions.append(.launch(next, attempt: containers[next].attempts))
    }

    private mutating func evict(_ message: String, _ actions: inout [Action]) {
        guard stage == .running, failure == nil else { return }
        failure = ("Evicted", message)
        actions.append(.record(PodEvent(.warning, "Evicted", message)))
        stop(grace: .seconds(1), &actions)
    }

    /// Whether no regular container will run again, or an initial one failed for good.
    private var hasFinished: Bool {
        let regular = containers.filter { $0.spec.role == .regular }
        if !regular.isEmpty, regular.allSatisfy(\.hasEndedForGood) { return true }
        return hasFailedInitially
    }

    var hasFailedInitially: Bool {
        containers.contains { $0.spec.role == .initial && $0.hasEndedForGood && $0.finalTermination?.exitCode != 0 }
    }

    /// Whether everything that comes before the regular containers is done.
    var isInitialized: Bool {
        containers.allSatisfy { container in
            switch container.spec.role {
            case .initial: container.hasEndedForGood && container.finalTermination?.exitCode == 0
            case .sidecar: container.hasServed
            case .regular: true
            }
        }
    }

    private func nextToLaunch(at now: Timestamp) -> Int? {
        for (index, container) in containers.enumerated() {
            let isDue = container.isDue(at: now)
            switch container.spec.role {
            case .regular:
                if isDue { return index }
            case .initial:
                if container.hasEndedForGood { continue }
                return isDue ? index : nil
            case .sidecar:
                if isDue { return index }
                if !container.hasServed { return nil }
            }
        }
        return nil
    }

    /// Lets what waits for a configuration be tried again at once.
    private mutating func release(at now: Timestamp) {
        for index in containers.indices {
            if case .held = containers[index].phase, case .waiting(let reason, _) = containers[index].display,
                reason == "CreateContainerConfigError"
            {
                containers[index].phase = .held(until: now)
            }
        }
        if case .setUpHeld = stage { stage = .setUpHeld(until: now) }
    }

    /// A container whose image was changed starts again with the new one.
    private mutating func takeImages(of pod: PodSpec, _ actions: inout [Action]) {
        self.pod = pod
        for (index, spec) in pod.containers.enumerated() where index < containers.count {
            guard spec.name == containers[index].spec.name, spec.image != containers[index].spec.image else { continue }
            containers[index].spec = spec
            containers[index].pulls = RestartBackoff(delaysFirst: true)
            if case .held = containers[index].phase { containers[index].phase = .idle }
            guard containers[index].isAlive else { continue }
            containers[index].isReplaced = true
            stopContainer(index, grace: pod.gracePeriod, because: .definitionChanged, &actions)
        }
    }

    private mutating func failSetUp(
        _ reason: String,
        _ message: String,
        at now: Timestamp,
        _ actions: inout [Action]
    ) {
        // A set-up that was cut short by a stop is no failure.
        guard stage == .settingUp else { return }
        actions.append(.record(PodEvent(.warning, reason, message)))
        setUpFailures += 1
        let delay = min(60, 1 << min(setUpFailures - 1, 6))
        stage = .setUpHeld(until: now + .seconds(delay))
    }
}

// MARK: - Starting

extension PodMachine {
    private mutating func noteLaunch(_ index: Int, _ launch: Launch, _ actions: inout [Action]) {
        let spec = containers[index].spec
        noteRun(index)
        containers[index].phase = .running(launch.id)
        containers[index].display = .running(since: launch.startedAt)
        containers[index].id = launch.id
        containers[index].imageID = launch.imageID
        containers[index].attempts += 1
        containers[index].pulls = RestartBackoff(delaysFirst: true)
        containers[index].isStarted = spec.probe(.startup) == nil
        containers[index].isReady = spec.probe(.readiness) == nil && spec.probe(.startup) == nil
        containers[index].isInHook = launch.hasPostStart
        noteServing(index)
        guard stage == .running else {
            return stopContainer(index, grace: stopGrace ?? pod.gracePeriod, because: .podStops, &actions)
        }
        actions.append(.probe(index, launch.id))
    }

    /// Keeps the end of the previous run before a new one takes its place.
    private mutating func noteRun(_ index: Int) {
        if case .terminated(let termination) = containers[index].display { containers[index].last = termination }
    }

    private mutating func noteServing(_ index: Int) {
        let container = containers[index]
        if container.isAlive, container.isStarted, !container.isInHook { containers[index].hasServed = true }
    }

    private mutating func noteFailure(
        _ index: Int,
        _ failure: LaunchFailure,
        at now: Timestamp,
        _ actions: inout [Action]
    ) {
        func complain(_ message: String) { actions.append(.record(event(.warning, "Failed", message, of: index))) }
        switch failure.stage {
        case .cancelled:
            containers[index].phase = .idle
        case .image:
            let delay = containers[index].pulls.fail(at: now)
            containers[index].phase = .held(until: now + delay)
            containers[index].pullBackOffAt = now + .seconds(2)
            show(index, waiting: failure.reason, failure.message)
            if failure.reason == "ErrImagePull" {
                complain("Failed to pull image \"\(containers[index].spec.image)\": \(failure.message)")
            } else {
                containers[index].pullBackOffAt = nil
                complain(failure.message)
            }
            complain("Error: \(failure.reason)")
        case .configuration, .creation:
            containers[index].phase = .held(until: now + .seconds(10))
            show(index, waiting: failure.reason, failure.message)
            complain("Error: \(failure.message)")
        case .start:
            complain("Error: \(failure.message)")
            noteStartError(index, failure, at: now, &actions)
        }
    }

    /// A program that could not be started counts as a run that ended with code 128.
    private mutating func noteStartError(
        _ index: Int,
        _ failure: LaunchFailure,
        at now: Timestamp,
        _ actions: inout [Action]
    ) {
        noteRun(index)
        containers[index].attempts += 1
        containers[index].id = failure.id
        containers[index].imageID = failure.imageID
        let termination = Termination(
            id: failure.id,
            exitCode: 128,
            reason: "StartError",
            message: failure.message,
            startedAt: Timestamp(seconds: 0),
            finishedAt: now
        )
        end(index, termination, at: now, &actions)
        if case .ended(let restartAt?) = containers[index].phase, restartAt <= now {
            containers[index].last = termination
            show(index, waiting: failure.reason, failure.message)
        }
    }

    private mutating func show(_ index: Int, waiting reason: String, _ message: String?) {
        noteRun(index)
        containers[index].display = .waiting(reason: reason, message: message)
    }

    private mutating func revealPullBackOff(at now: Timestamp, _ actions: inout [Action]) {
        for index in containers.indices {
            guard let moment = containers[index].pullBackOffAt, moment <= now else { continue }
            containers[index].pullBackOffAt = nil
            guard case .held = containers[index].phase, case .waiting(let reason, let cause) = containers[index].display
            else { continue }
            let image = containers[index].spec.image
            let text = "Back-off pulling image \"\(image)\""
            show(index, waiting: "ImagePullBackOff", "\(text): \(reason): \(cause ?? "")")
            actions.append(.record(event(.normal, "BackOff", text, of: index)))
            actions.append(.record(event(.warning, "Failed", "Error: ImagePullBackOff", of: index)))
        }
    }

    private mutating func finishHook(_ index: Int, _ id: ContainerID, _ failure: String?, _ actions: inout [Action]) {
        guard containers[index].id == id else { return }
        containers[index].isInHook = false
        noteServing(index)
        guard let failure else { return }
        actions.append(.record(event(.warning, "FailedPostStartHook", failure, of: index)))
        stopContainer(index, grace: pod.gracePeriod, because: .hookFailed, &actions)
    }

    private mutating func noteProbe(
        _ index: Int,
        _ id: ContainerID,
        _ kind: ProbeKind,
        _ succeeds: Bool,
        _ actions: inout [Action]
    ) {
        guard containers[index].id == id, containers[index].isAlive else { return }
        switch (kind, succeeds) {
        case (.startup, true):
            containers[index].isStarted = true
            if containers[index].spec.probe(.readiness) == nil { containers[index].isReady = true }
            noteServing(index)
        case (.readiness, _): containers[index].isReady = succeeds && containers[index].isStarted
        case (.liveness, true): break
        case (.startup, false), (.liveness, false):
            let spec = containers[index].spec
            let grace = spec.probe(kind)?["terminationGracePeriodSeconds"]?.int.map { Duration.seconds($0) }
            stopContainer(index, grace: grace ?? pod.gracePeriod, because: .probeFailed(kind), &actions)
        }
    }
}

// MARK: - Ending

extension PodMachine {
    private mutating func noteExit(
        _ index: Int,
        _ termination: Termination,
        at now: Timestamp,
        _ actions: inout [Action]
    ) {
        guard containers[index].id == termination.id else { return }
        end(index, termination, at: now, &actions)
    }

    private mutating func end(
        _ index: Int,
        _ termination: Termination,
        at now: Timestamp,
        _ actions: inout [Action]
    ) {
        containers[index].isReady = false
        containers[index].isStarted = false
        containers[index].isInHook = false
        containers[index].display = .terminated(termination)
        if containers[index].isReplaced, stage == .running {
            containers[index].isReplaced = false
            containers[index].phase = .ended(restartAt: termination.finishedAt ?? now)
            return
        }
        guard stage == .running, restarts(containers[index].spec, after: termination) else {
            containers[index].phase = .ended(restartAt: nil)
            return
        }
        let delay = containers[index].crashes.fail(at: termination.finishedAt ?? now)
        containers[index].phase = .ended(restartAt: (termination.finishedAt ?? now) + delay)
        guard delay > .zero else { return }
        let name = containers[index].spec.name
        show(
            index,
            waiting: "CrashLoopBackOff",
            "back-off \(delay.goText) restarting failed container=\(name) pod=\(pod.label)"
        )
        let text = "Back-off restarting failed container \(name) in pod \(pod.label)"
        actions.append(.record(event(.warning, "BackOff", text, of: index)))
    }

    private func restarts(_ container: ContainerSpec, after termination: Termination) -> Bool {
        switch (container.role, pod.restartPolicy) {
        case (.sidecar, _): true
        case (.initial, .never), (.regular, .never): false
        case (.initial, _), (.regular, .onFailure): termination.exitCode != 0
        case (.regular, .always): true
        }
    }

    private mutating func stop(grace: Duration, _ actions: inout [Action]) {
        let isShorter = stopGrace.map { grace < $0 } ?? true
        if isShorter { stopGrace = grace }
        switch stage {
        case .new:
            stage = .down
        case .settingUp, .setUpHeld, .running:
            stage = .stopping
            for index in containers.indices where containers[index].phase == .launching {
                actions.append(.cancelLaunch(index))
            }
        case .stopping where isShorter:
            // Stops under way begin anew with less time.
            for index in containers.indices {
                if case .stopping(let id) = containers[index].phase { containers[index].phase = .running(id) }
            }
        case .stopping, .tearingDown, .down: break
        }
    }

    /// Regular containers end together, then sidecars from last to first.
    private mutating func continueStopping(_ actions: inout [Action]) {
        let grace = stopGrace ?? pod.gracePeriod
        for index in containers.indices where containers[index].spec.role != .sidecar {
            stopContainer(index, grace: grace, because: .podStops, &actions)
        }
        let isWaiting = containers.contains { $0.spec.role != .sidecar && ($0.isAlive || $0.phase == .launching) }
        if isWaiting { return }
        if let last = containers.lastIndex(where: { $0.isAlive || $0.phase == .launching }) {
            return stopContainer(last, grace: grace, because: .podStops, &actions)
        }
        for index in containers.indices {
            // What waited to be started again, or for the first time, no longer does.
            switch containers[index].phase {
            case .ended: containers[index].phase = .ended(restartAt: nil)
            default: break
            }
        }
        stage = .tearingDown
        actions.append(.tearDown)
    }

    private mutating func stopContainer(
        _ index: Int,
        grace: Duration,
        because reason: StopReason,
        _ actions: inout [Action]
    ) {
        guard case .running(let id) = containers[index].phase else { return }
        containers[index].phase = .stopping(id)
        actions.append(.stop(index, id, grace: grace, because: reason))
    }

    private mutating func finish(_ actions: inout [Action]) {
        if isShuttingDown || hasVanished { return actions.append(.leave) }
        guard isDeleted, !hasAskedForDeletion else { return }
        hasAskedForDeletion = true
        actions.append(.deleteObject)
    }

    private func event(_ kind: PodEvent.Kind, _ reason: String, _ message: String, of index: Int) -> PodEvent {
        PodEvent(kind, reason, message, container: containers[index].spec)
    }
}

// MARK: - What was before

extension PodMachine {
    /// Takes over restart counts and ends from the object's status; containers that ran were lost with the node's stop.
    private mutating func recall(_ status: JSON, at now: Timestamp) {
        if let phase = status["phase"]?.string, phase == "Succeeded" || phase == "Failed" { settledPhase = phase }
        let known = (status["initContainerStatuses"]?.array ?? []) + (status["containerStatuses"]?.array ?? [])
        for index in containers.indices {
            let name = containers[index].spec.name
            guard let old = known.first(where: { $0["name"]?.string == name }), let state = old["state"]?.object else {
                continue
            }
            let count = old["restartCount"]?.int ?? 0
            let hasRun = old["containerID"]?.string.map { !$0.isEmpty } ?? false
            containers[index].attempts = hasRun ? count + 1 : count
            containers[index].id = old["containerID"]?.string.flatMap(ContainerID.init(statusText:))
            containers[index].imageID = old["imageID"]?.string
            if let lost = state["running"] {
                containers[index].display = .terminated(
                    Termination(
                        id: containers[index].id,
                        exitCode: 255,
                        reason: "Unknown",
                        message: nil,
                        startedAt: lost["startedAt"]?.string.flatMap { Timestamp($0) },
                        finishedAt: now
                    )
                )
            } else if let end = state["terminated"] ?? old[path: "lastState", "terminated"] {
                containers[index].display = .terminated(Termination(end))
            } else {
                continue
            }
            guard case .terminated(let termination) = containers[index].display else { continue }
            let restarts = restarts(containers[index].spec, after: termination)
            containers[index].phase = .ended(restartAt: restarts ? now : nil)
        }
        guard !isTerminal else { return }
        // A new sandbox starts with the initial containers, also with those that had ended well.
        for index in containers.indices where containers[index].spec.role != .regular {
            if case .ended = containers[index].phase, !hasFailedInitially { containers[index].phase = .idle }
        }
    }
}
