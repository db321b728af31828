// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Ports

/// Turns one container of a pod from a description into a running process.
struct ContainerLauncher: Sendable {
    let services: PodServices
    let pod: PodSpec
    let sandbox: PodSandbox
    let volumes: PodVolumes

    /// Pulls, prepares and starts the container. What it made is gone again when it throws.
    func launch(_ spec: ContainerSpec, attempt: Int) async throws(LaunchFailure) -> RunningContainer {
        if let refusal = Confinement.refusal(of: spec, in: pod) { throw Self.misconfigured(refusal) }
        let image = try await prepareImage(spec)
        if let refusal = Confinement.refusal(of: spec, in: pod, imageUser: image.config.user) {
            throw Self.misconfigured(refusal)
        }
        let environment: ContainerEnvironment
        do {
            environment = try await EnvironmentResolver(
                services: services,
                pod: pod,
                address: sandbox.connection.address
            )
            .resolve(spec, image: image.config)
        } catch let failure as EnvironmentResolver.Missing {
            throw Self.misconfigured(failure.message)
        } catch {
            throw Self.misconfigured("\(error)")
        }
        let folder = services.folders.container(pod, spec.name, attempt: attempt)
        do {
            return try await start(spec, image, environment, folder: folder, attempt: attempt)
        } catch {
            // What cannot be cleared away now is cleared before the next try, or with the pod.
            try? await RunningContainer.clear(folder, services)
            throw error
        }
    }

    private static func misconfigured(_ message: String) -> LaunchFailure {
        LaunchFailure(stage: .configuration, reason: "CreateContainerConfigError", message: message)
    }

    // MARK: Image

    private func prepareImage(_ spec: ContainerSpec) async throws(LaunchFailure) -> PreparedImage {
        let record: @Sendable (String, String) -> Void = { [services, pod] reason, message in
            let event = PodEvent(.normal, reason, message, container: spec)
            services.events.record(event, about: pod.object, at: services.wall.now)
        }
        do {
            let credentials = await PullCredentials(services: services, pod: pod).matching(spec.image)
            let image = try await services.images.prepare(
                spec.image,
                credentials: credentials,
                pullPolicy: spec.pullPolicy,
                willPull: { record("Pulling", "Pulling image \"\(spec.image)\"") }
            )
            if let duration = image.pullDuration {
                let took = duration.goPreciseText
                record(
                    "Pulled",
                    "Successfully pulled image \"\(spec.image)\" in \(took) (\(took) including waiting). "
                        + "Image size: \(image.size) bytes."
                )
            } else {
                record(
                    "Pulled",
                    "Container image \"\(spec.image)\" already present on machine and can be accessed by the pod"
                )
            }
            return image
        } catch let failure as ImageFailure {
            throw LaunchFailure(stage: .image, reason: failure.reason.rawValue, message: failure.message)
        } catch {
            if Task.isCancelled { throw LaunchFailure(stage: .cancelled, reason: "", message: "") }
            throw LaunchFailure(stage: .image, reason: "ErrImagePull", message: "\(error)")
        }
    }

    // MARK: Container

    private func start(
        _ spec: ContainerSpec,
        _ image: PreparedImage,
        _ environment: ContainerEnvironment,
        folder: String,
        attempt: Int
    ) async throws(LaunchFailure) -> RunningContainer {
        let bundle: ContainerBundle
        let log: ContainerLog
        do {
            try await RunningContainer.clear(folder, services)
            try Folder.make(folder)
            let root = try await services.images.mountRootfs(image, at: "\(folder)/root")
            bundle = try makeBundle(spec, image.config, environment, root: root, folder: folder)
            try FileText.write(bundle.configuration.text, to: "\(folder)/config.json", mode: 0o600)
            try Folder.make("\(services.folders.logs(pod))/\(spec.name)")
            let path = services.folders.log(pod, spec.name, attempt: attempt)
            log = try ContainerLog(path, limits: .init(), clock: services.wall)
        } catch let failure as LaunchFailure {
            throw failure
        } catch {
            throw LaunchFailure(stage: .creation, reason: "CreateContainerError", message: "\(error)")
        }
        do {
            let (process, input) = try await ContainerStreams(spec).create(bundle, folder, log, services.runc)
            record("Created", "Container created", spec)
            try await services.runc.start(bundle.id)
            record("Started", "Container started", spec)
            return RunningContainer(
                bundle: bundle,
                process: process,
                log: log,
                input: input,
                folder: folder,
                imageID: image.imageID,
                stopSignal: RunningContainer.signal(image.config.stopSignal),
                startedAt: services.wall.now
            )
        } catch {
            log.abandon()
            try? await services.runc.delete(bundle.id)
            throw LaunchFailure(
                stage: .start,
                reason: "RunContainerError",
                message: "OCI runtime create failed: \(error)",
                id: bundle.id,
                imageID: image.imageID
            )
        }
    }

    private func record(_ reason: String, _ message: String, _ spec: ContainerSpec) {
        let event = PodEvent(.normal, reason, message, container: spec)
        services.events.record(event, about: pod.object, at: services.wall.now)
    }

    private func makeBundle(
        _ spec: ContainerSpec,
        _ image: ImageConfig,
        _ environment: ContainerEnvironment,
        root: String,
        folder: String
    ) throws -> ContainerBundle {
        let security = Security(spec, in: pod)
        let user: ContainerUser
        do {
            user = try UserLookup(root: root).resolve(
                image: image.user,
                runAsUser: security.user,
                runAsGroup: security.group,
                additional: security.supplementalGroups
            )
        } catch {
            throw LaunchFailure(stage: .creation, reason: "CreateContainerError", message: error.message)
        }
        let id = ContainerID.random()
        let command = CommandLineOfContainer.resolve(spec, image, environment)
        guard !command.isEmpty else {
            throw LaunchFailure(stage: .creation, reason: "CreateContainerError", message: "no command specified")
        }
        let wanted = spec.json["workingDir"]?.string ?? ""
        let folderInside = wanted.isEmpty ? image.workingDirectory : wanted
        return ContainerBundle(
            id: id,
            rootfs: root,
            arguments: command,
            environment: environment.list + Self.terminalName(spec, environment),
            workingDirectory: folderInside.isEmpty ? "/" : folderInside,
            user: user,
            capabilities: try capabilities(spec),
            hasReadOnlyRoot: spec.securityContext["readOnlyRootFilesystem"]?.bool ?? false,
            mounts: try mounts(spec, environment, folder: folder),
            networkNamespace: sandbox.connection.namespace,
            utsNamespace: sandbox.utsNamespace,
            ipcNamespace: sandbox.ipcNamespace,
            cgroupsPath: "\(services.controlGroup)/\(pod.uid)/\(id.text)",
            resources: resources(spec),
            sysctls: sysctls,
            oomScoreAdjustment: QualityOfService.oomScoreAdjustment(
                spec,
                of: pod,
                machineMemory: services.machine.memory
            ),
            hasTerminal: spec.hasTerminal
        )
    }

    private static func terminalName(_ spec: ContainerSpec, _ environment: ContainerEnvironment) -> [String] {
        let isNamed = environment.list.contains { $0.hasPrefix("TERM=") }
        return spec.hasTerminal && !isNamed ? ["TERM=xterm"] : []
    }

    private func capabilities(_ spec: ContainerSpec) throws -> [String] {
        let wanted = spec.securityContext["capabilities"] ?? [:]
        func names(_ key: String) -> [String] { wanted[key]?.array?.compactMap(\.string) ?? [] }
        do {
            return try Capabilities.resolve(add: names("add"), drop: names("drop"))
        } catch {
            throw Self.misconfigured("capability \"\(error.name)\" is not allowed on this node")
        }
    }

    private func resources(_ spec: ContainerSpec) -> ContainerResources {
        ContainerResources(
            requestedMillicores: spec.amount("requests", "cpu")?.milliValue ?? 0,
            millicoresLimit: spec.amount("limits", "cpu")?.milliValue,
            memoryLimit: spec.amount("limits", "memory")?.value,
            canLimitSwap: services.controlGroups.canLimitSwap
        )
    }

    /// Kernel settings of the pod; only those of its own namespaces are accepted by runc.
    private var sysctls: [String: String] {
        var map: [String: String] = [:]
        for item in pod.securityContext["sysctls"]?.array ?? [] {
            if let name = item["name"]?.string, let value = item["value"]?.string { map[name] = value }
        }
        return map
    }

    private func mounts(
        _ spec: ContainerSpec,
        _ environment: ContainerEnvironment,
        folder: String
    ) throws -> [ContainerBundle.Mount] {
        let isReadOnly = spec.securityContext["readOnlyRootFilesystem"]?.bool ?? false
        var mounts = [ContainerBundle.Mount(source: sandbox.sharedMemory, destination: "/dev/shm", isReadOnly: false)]
        var parts = PinnedParts(folder: "\(folder)/parts")
        let wanted = try volumes.mounts(of: spec, environment, &parts)
        let taken = Set(wanted.map(\.destination))
        let files = [
            (sandbox.hostsFile, "/etc/hosts"), (sandbox.hostnameFile, "/etc/hostname"),
            (sandbox.resolverFile, "/etc/resolv.conf"),
        ]
        for (source, destination) in files where !taken.contains(destination) {
            mounts.append(.init(source: source, destination: destination, isReadOnly: isReadOnly))
        }
        let words = "\(folder)/termination-log"
        try FileText.write("", to: words, mode: 0o666)
        mounts.append(.init(source: words, destination: spec.terminationMessagePath, isReadOnly: false))
        // A mount inside another must come after it.
        return mounts + wanted.sorted { $0.destination.utf8.count < $1.destination.utf8.count }
    }
}

/// What a container runs: its own command, or the image's.
enum CommandLineOfContainer {
    static func resolve(_ spec: ContainerSpec, _ image: ImageConfig, _ environment: ContainerEnvironment) -> [String] {
        let command = spec.command.map(environment.expand)
        let arguments = spec.arguments.map(environment.expand)
        if !command.isEmpty { return command + arguments }
        return image.entrypoint + (arguments.isEmpty ? image.command : arguments)
    }
}

/// The parts of a pod's and a container's security context that have numbers; the container's win.
struct Security {
    var user: Int?
    var group: Int?
    var supplementalGroups: [Int]

    init(_ spec: ContainerSpec, in pod: PodSpec) {
        user = (spec.securityContext["runAsUser"] ?? pod.securityContext["runAsUser"])?.int
        group = (spec.securityContext["runAsGroup"] ?? pod.securityContext["runAsGroup"])?.int
        supplementalGroups =
            (pod.securityContext["supplementalGroups"]?.array?.compactMap(\.int) ?? [])
            + (pod.securityContext["fsGroup"]?.int.map { [$0] } ?? [])
    }
}
