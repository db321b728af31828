// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Ports
import Telemetry

/// Carries one pod through its life: feeds the pod's machine with what happens and does what it decides, one thing at a time.
actor PodWorker {
    enum Message: Sendable {
        case event(PodMachine.Event)
        /// The object was changed in the API.
        case changed(KubeObject)
        /// A ConfigMap, a Secret or the like in the pod's namespace changed.
        case referencesChanged
        /// The node stops; a hurried one grants no time.
        case shutDown(isHurried: Bool)
    }

    private enum TaskKey: Hashable {
        case sandbox
        case launch(Int)
        case stop(Int)
        case probe(Int)
        case timer
        case renewal
        case storage
    }

    nonisolated let uid: String
    /// `namespace/name`, for a person.
    nonisolated let label: String
    let services: PodServices
    private var pod: PodSpec
    private var machine: PodMachine
    private let mailbox: AsyncStream<Message>
    private let feed: AsyncStream<Message>.Continuation
    private let writer: PodStatusWriter
    private var sandbox: PodSandbox?
    private var volumes = PodVolumes(volumes: [:])
    private var running: [Int: RunningContainer] = [:]
    private var hooksRun: Set<ContainerID> = []
    /// Work under way. The worker owns these tasks, cancels them by key, and waits for all of them before it ends.
    private var tasks: [TaskKey: Task<Void, Never>] = [:]
    private var isQuiet = false
    private var isDone = false

    /// How much of its grace period a pod may spend on waiting until nobody asks it any more.
    private static let drainLimit = Duration.seconds(2)

    init(_ object: KubeObject, _ services: PodServices) {
        uid = object.uid
        label = "\(object.namespace ?? "default")/\(object.name)"
        self.services = services
        pod = PodSpec(object)
        machine = PodMachine(pod, at: services.wall.now)
        writer = PodStatusWriter(object, services)
        // Bounded by what the pod's own containers, probes and object can cause; an event must never be lost.
        (mailbox, feed) = AsyncStream.makeStream()
    }

    nonisolated func post(_ message: Message) { feed.yield(message) }

    private var longestShutdown: Duration { min(pod.gracePeriod, services.configuration.shutdownGrace) }

    /// How long the pod may take to stop with the node; `nil` where nothing of it runs.
    var shutdownGrace: Duration? { running.isEmpty ? nil : longestShutdown }

    /// Returns when nothing is left to do for the pod. Cancellation does not end it; `shutDown` does.
    func run() async {
        if !machine.isTerminal, machine.containers.contains(where: { $0.attempts > 0 }) {
            record(PodEvent(.normal, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created."))
        }
        await handle(.tick)
        if pod.object.isTerminating {
            await handle(.deletionRequested(grace: pod.deletionGracePeriod ?? pod.gracePeriod))
        }
        var messages = mailbox.makeAsyncIterator()
        while !isDone, let message = await messages.next() {
            switch message {
            case .event(let event): await handle(event)
            case .changed(let object): await take(object)
            case .referencesChanged:
                await refreshVolumes()
                await handle(.referencesChanged)
            case .shutDown(let isHurried):
                isQuiet = true
                await writer.stop()
                await handle(.shutDown(grace: isHurried ? .zero : longestShutdown))
            }
        }
        for task in tasks.values { task.cancel() }
        for task in tasks.values { await task.value }
        await writer.finish()
    }

    private func take(_ object: KubeObject) async {
        let before = pod.object
        pod = PodSpec(object)
        await writer.observe(object)
        if object.isTerminating {
            return await handle(.deletionRequested(grace: pod.deletionGracePeriod ?? pod.gracePeriod))
        }
        await handle(.changed(pod))
        // Volumes may show what the object says of itself; its status they cannot.
        if before.labels != object.labels || before.annotations != object.annotations { await refreshVolumes() }
    }

    /// Brings what the volumes show up to date.
    private func refreshVolumes() async {
        guard let sandbox else { return }
        do {
            _ = try await volumes.refresh(pod, address: sandbox.connection.address, services)
        } catch let failure as VolumeFailure {
            record(PodEvent(.warning, "FailedMount", "\(failure)"))
        } catch {
            services.telemetry.emit(NodeTrouble(what: "volumes not refreshed", subject: pod.label, error: error))
        }
        await setRenewal()
    }

    /// Refreshes the volumes again when a token in them grows old.
    private func setRenewal() async {
        guard let renewal = await services.tokens.renewal(for: uid) else { return }
        let wait = max(.seconds(10), renewal - services.wall.now)
        begin(.renewal) { [self, services] in
            if (try? await services.clock.sleep(for: wait)) != nil { post(.referencesChanged) }
        }
    }

    private func handle(_ event: PodMachine.Event) async {
        note(event)
        for action in machine.handle(event, at: services.wall.now) { await perform(action) }
        await report()
        setTimer()
    }

    /// Keeps the worker's own books in step with an event before the machine decides.
    private func note(_ event: PodMachine.Event) {
        switch event {
        case .exited(let index, let termination) where running[index]?.id == termination.id:
            running[index] = nil
            for key in [TaskKey.stop(index), .probe(index)] { tasks.removeValue(forKey: key)?.cancel() }
        default: break
        }
    }

    private func report() async {
        guard !isQuiet, machine.settledPhase == nil else { return }
        let addresses = sandbox.map { [$0.connection.address] } ?? []
        await writer.report { [machine, services] previous in
            machine.status(
                addresses: addresses.isEmpty ? PodStatusWriter.addresses(in: previous) : addresses,
                host: services.hostAddress,
                previous: previous,
                at: services.wall.now
            )
        }
    }

    private func setTimer() {
        tasks.removeValue(forKey: .timer)?.cancel()
        guard let deadline = machine.deadline else { return }
        let wait = max(.zero, deadline - services.wall.now)
        begin(.timer) { [self, services] in
            if (try? await services.clock.sleep(for: wait)) != nil { post(.event(.tick)) }
        }
    }

    private func begin(_ key: TaskKey, _ work: @escaping @Sendable () async -> Void) {
        let previous = tasks[key]
        previous?.cancel()
        // A task of its own, so that it can be cancelled by key while the worker goes on; `run` awaits what is left.
        tasks[key] = Task {
            // What builds a sandbox and what takes it down must not overlap.
            if key == .sandbox { await previous?.value }
            await work()
        }
    }

    private func record(_ event: PodEvent) {
        services.events.record(event, about: pod.object, at: services.wall.now)
    }
}

// MARK: - Actions

extension PodWorker {
    private func perform(_ action: PodMachine.Action) async {
        switch action {
        case .setUp: begin(.sandbox) { await self.setUp() }
        case .launch(let index, let attempt): begin(.launch(index)) { await self.launch(index, attempt: attempt) }
        case .cancelLaunch(let index): tasks[.launch(index)]?.cancel()
        case .probe(let index, let id): startProbes(index, id)
        case .stop(let index, let id, let grace, let reason): stop(index, id, grace: grace, because: reason)
        case .record(let event): record(event)
        case .tearDown: begin(.sandbox) { await self.tearDown() }
        case .deleteObject: begin(.sandbox) { await self.deleteObject() }
        case .leave: isDone = true
        }
    }

    private func setUp() async {
        do {
            let sandbox = try await PodSandbox.setUp(pod, services)
            self.sandbox = sandbox
            volumes = try await PodVolumes.setUp(pod, address: sandbox.connection.address, services)
            await setRenewal()
            watchStorage()
            post(.event(.setUpFinished))
        } catch let failure as VolumeFailure {
            post(.event(.setUpFailed(reason: "FailedMount", message: "\(failure)")))
        } catch {
            let message = "Failed to create pod sandbox: \(error)"
            post(.event(.setUpFailed(reason: "FailedCreatePodSandBox", message: message)))
        }
    }

    /// Measures what the pod keeps on disk from time to time, if it may not keep what it likes.
    private func watchStorage() {
        guard let storage = LocalStorage(pod, services.folders) else { return }
        begin(.storage) { [self, services] in
            while (try? await services.clock.sleep(for: LocalStorage.period)) != nil {
                let excess = try? await OwnThread.run { storage.excess() }
                if let message = excess.flatMap({ $0 }), !Task.isCancelled { post(.event(.exceeded(message: message))) }
            }
        }
    }

    private func launch(_ index: Int, attempt: Int) async {
        guard let sandbox else { return }
        let spec = machine.containers[index].spec
        let launcher = ContainerLauncher(services: services, pod: pod, sandbox: sandbox, volumes: volumes)
        do throws(LaunchFailure) {
            let container = try await launcher.launch(spec, attempt: attempt)
            running[index] = container
            let launch = Launch(
                id: container.id,
                imageID: container.imageID,
                startedAt: container.startedAt,
                hasPostStart: spec.postStart != nil
            )
            post(.event(.launched(index, launch)))
            // Lives exactly as long as the container; nothing cancels it, and the pod does not end before it.
            Task { await self.watch(index, container) }
            if let hook = spec.postStart { await runPostStart(index, container, hook) }
        } catch {
            post(.event(.launchFailed(index, error)))
        }
    }

    private func watch(_ index: Int, _ container: RunningContainer) async {
        let termination = await container.end(machine.containers[index].spec, services)
        do {
            try await container.dispose(services)
        } catch {
            services.telemetry.emit(
                NodeTrouble(what: "container not cleared away", subject: container.id.text, error: error)
            )
        }
        post(.event(.exited(index, termination)))
    }

    private func runPostStart(_ index: Int, _ container: RunningContainer, _ hook: JSON) async {
        let spec = machine.containers[index].spec
        let handler = LifecycleHandler(
            services: services,
            container: container,
            spec: spec,
            address: sandbox?.connection.address ?? ""
        )
        let failure = await handler.run(hook, timeout: .seconds(600))
        post(.event(.hookFinished(index, container.id, failure: failure.map { "PostStartHook failed: \($0)" })))
    }

    private func startProbes(_ index: Int, _ id: ContainerID) {
        guard let container = running[index], container.id == id else { return }
        let spec = machine.containers[index].spec
        guard ProbeKind.allCases.contains(where: { spec.probe($0) != nil }) else { return }
        let probing = ContainerProbing(
            services: services,
            pod: pod,
            spec: spec,
            container: container,
            address: sandbox?.connection.address ?? ""
        ) { [self] kind, succeeds in post(.event(.probed(index, id, kind, succeeds: succeeds))) }
        begin(.probe(index)) { await probing.run() }
    }

    private func stop(_ index: Int, _ id: ContainerID, grace: Duration, because reason: PodMachine.StopReason) {
        guard let container = running[index], container.id == id else { return }
        let spec = machine.containers[index].spec
        record(PodEvent(.normal, "Killing", reason.message(for: spec.name), container: spec))
        let address = sandbox?.connection.address ?? ""
        // A node that stops takes the proxy with it; a container that is started again keeps its place.
        let drains = reason == .podStops && !isQuiet && !address.isEmpty
        begin(.stop(index)) { [self, services, pod] in
            let start = services.wall.now
            if drains, grace > .zero {
                await services.drain.drained(address, within: min(Self.drainLimit, grace / 2))
            }
            guard !Task.isCancelled else { return }
            if grace > .zero, let hook = spec.preStop, await mayRunHook(of: id) {
                let handler = LifecycleHandler(services: services, container: container, spec: spec, address: address)
                if let failure = await handler.run(hook, timeout: grace - (services.wall.now - start)) {
                    let event = PodEvent(
                        .warning,
                        "FailedPreStopHook",
                        "PreStopHook failed: \(failure)",
                        container: spec
                    )
                    services.events.record(event, about: pod.object, at: services.wall.now)
                }
            }
            guard !Task.isCancelled else { return }
            container.process.signal(container.stopSignal)
            // Every container gets a moment to end by itself, as the kubelet grants it.
            let rest = max(.seconds(2), grace - (services.wall.now - start))
            guard (try? await services.clock.sleep(for: grace == .zero ? .zero : rest)) != nil else { return }
            container.process.signal(SIGKILL)
        }
    }

    /// Whether the container's preStop hook is still to be run: it runs once, however often the container is told to end.
    private func mayRunHook(of id: ContainerID) -> Bool { hooksRun.insert(id).inserted }

    private func tearDown() async {
        tasks.removeValue(forKey: .storage)?.cancel()
        var wait: Duration = .milliseconds(100)
        while true {
            do {
                try PodVolumes.unmount(services.folders.pod(uid))
                try await PodSandbox.tearDown(pod, services)
                services.controlGroups.remove("\(services.controlGroup)/\(uid)")
                return post(.event(.tornDown))
            } catch {
                services.telemetry.emit(NodeTrouble(what: "pod not torn down", subject: pod.label, error: error))
                if isQuiet { return post(.event(.tornDown)) }
            }
            try? await services.clock.sleep(for: wait)
            wait = min(wait * 2, .seconds(30))
        }
    }

    /// Removes the pod's object, now that nothing of the pod runs any more.
    private func deleteObject() async {
        await writer.finish()
        var wait: Duration = .milliseconds(100)
        while !Task.isCancelled {
            do {
                try await services.api.delete(pod.reference, options: DeleteOptions(gracePeriod: .zero, uid: uid))
                return post(.event(.objectDeleted))
            } catch let failure as Failure where failure.code == .notFound || failure.code == .conflict {
                // Gone already, or another pod of that name by now.
                return post(.event(.objectDeleted))
            } catch {
                services.telemetry.emit(NodeTrouble(what: "pod not deleted", subject: pod.label, error: error))
            }
            try? await services.clock.sleep(for: wait)
            wait = min(wait * 2, .seconds(10))
        }
    }
}

// MARK: - Logs and sessions

extension PodWorker {
    func runningContainer(_ name: String) -> RunningContainer? {
        machine.containers.firstIndex { $0.spec.name == name }.flatMap { running[$0] }
    }

    /// Where the pod's own loopback address is; `nil` where the pod has no network now.
    var networkNamespace: String? { sandbox?.connection.namespace }

    /// The log that a container writes now, if it runs.
    func currentLog(_ name: String) -> ContainerLog? {
        machine.containers.firstIndex { $0.spec.name == name }.flatMap { running[$0]?.log }
    }

    /// Which run's log is meant, or why there is none; the words are the kubelet's.
    func logAttempt(_ name: String, previous: Bool) throws -> Int {
        guard let container = machine.containers.first(where: { $0.spec.name == name }) else {
            throw Failure(.notFound, "container \"\(name)\" in pod \"\(pod.name)\" is not available")
        }
        if previous {
            guard container.last != nil, container.attempts > 0 else {
                throw Failure(
                    .invalidInput,
                    "previous terminated container \"\(name)\" in pod \"\(pod.name)\" not found"
                )
            }
            // While it waits to be restarted, the run that ended last is the newest.
            if case .waiting = container.display { return container.attempts - 1 }
            return max(0, container.attempts - 2)
        }
        if container.attempts > 0 { return container.attempts - 1 }
        var state = "ContainerCreating"
        if case .waiting(let reason, _) = container.display { state = reason }
        switch state {
        case "ErrImagePull": state = "trying and failing to pull image"
        case "ImagePullBackOff": state = "image can't be pulled"
        default: break
        }
        throw Failure(
            .invalidInput,
            "container \"\(name)\" in pod \"\(pod.name)\" is waiting to start: \(state)"
        )
    }
}
