// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
package import Ports
import Synchronization

/// Keeps the logins that nodes pull with as fresh as the credentials they were made of.
///
/// Registries give out passwords that last an hour. Whoever renews the Secret of `image.credentials` renews it in one place:
/// from there it goes into the pull secret of every namespace and cluster that a release made one in.
package struct PullSecretKeeper: Sendable {
    /// Until when a credential holds, as its owner says in an annotation of the Secret.
    package static let expiry = "ballast.dev/expires"
    /// A password is used up to its end by a pull that has begun.
    private static let interval = Duration.seconds(30)

    private let home: any ClusterAPI
    private let clusters: @Sendable (ClusterName) async throws -> any ClusterAPI
    private let clock: WallClock
    private let sleeper: any Clock<Duration>
    private var report: @Sendable (String) -> Void

    /// `report` hears of what was renewed, and of what could not be.
    package init(
        home: any ClusterAPI,
        clusters: @escaping @Sendable (ClusterName) async throws -> any ClusterAPI,
        clock: WallClock,
        sleeper: any Clock<Duration> = ContinuousClock(),
        report: @escaping @Sendable (String) -> Void
    ) {
        self.home = home
        self.clusters = clusters
        self.clock = clock
        self.sleeper = sleeper
        self.report = report
    }

    /// Looks every half minute, until cancelled.
    package func run() async {
        let told = ToldOnce(report)
        var keeper = self
        keeper.report = { told.tell($0) }
        while !Task.isCancelled {
            await keeper.refresh()
            told.endRound()
            guard (try? await sleeper.sleep(for: Self.interval)) != nil else { return }
        }
    }

    /// Renews what is older than its credentials.
    package func refresh() async {
        // A home cluster that does not answer, or that knows no apps yet, is asked again soon.
        guard let apps = try? await home.list(ListQuery(.apps)).items.map({ App($0) }) else { return }
        for app in apps where app.image.credentials != nil {
            guard let image = ImageReference(app.image.repository), let credential = await credential(of: app) else {
                continue
            }
            warn(of: credential, app)
            for name in Set(app.deploy.waves.joined()) {
                do {
                    let login = try PullSecret.login(from: credential, for: image)
                    try await refresh(app, login, image, name)
                } catch {
                    report(
                        "the pull secret of '\(app.namespace)/\(app.name)' in '\(name)' is not renewed: \(ErrorWords.text(of: error))"
                    )
                }
            }
        }
    }

    private func credential(of app: App) async -> KubeObject? {
        guard let name = app.image.credentials else { return nil }
        for namespace in [app.namespace.text, ReleaseRecord.systemNamespace] {
            let reference = ObjectReference(.secrets, namespace: namespace, name: name)
            if let found = try? await home.find(reference) { return found }
        }
        return nil
    }

    private func refresh(_ app: App, _ login: RegistryCredentials, _ image: ImageReference, _ name: ClusterName)
        async throws
    {
        let cluster = try await clusters(name)
        let wanted = PullSecret.object(for: app, app.image.pullHost ?? image.registry, login)
        let reference = ObjectReference(.secrets, namespace: app.namespace.text, name: wanted.name)
        // Where no release was yet, none is needed yet.
        guard let live = try await cluster.find(reference), live["data"] != wanted["data"],
            ObjectOwner.stranger(of: live) == nil
        else { return }
        _ = try await cluster.patch(
            reference,
            subresource: nil,
            .apply,
            wanted.json,
            options: ObjectApplier.options(isForced: false)
        )
        report("renewed \(reference.words) in '\(name)'")
    }

    /// Somebody has to renew the credential itself; nodes that pull without it fail one by one.
    private func warn(of credential: KubeObject, _ app: App) {
        guard let end = credential.annotations[Self.expiry].flatMap({ Timestamp($0) }) else { return }
        let left = (end - clock.now).components.seconds
        guard left < 600 else { return }
        let name = "\(credential.namespace ?? "")/\(credential.name)"
        report(
            left > 0
                ? "the credentials '\(name)' of '\(app.name)' end in \(left / 60) min and are not renewed yet"
                : "the credentials '\(name)' of '\(app.name)' have ended: nodes cannot pull its image any more"
        )
    }
}

/// Tells what was not told in the round before: trouble that goes on is said when it begins.
private final class ToldOnce: Sendable {
    private let report: @Sendable (String) -> Void
    private let rounds = Mutex<(last: Set<String>, now: Set<String>)>(([], []))

    init(_ report: @escaping @Sendable (String) -> Void) { self.report = report }

    func tell(_ text: String) {
        let isNew = rounds.withLock { rounds in
            rounds.now.insert(text)
            return !rounds.last.contains(text)
        }
        if isNew { report(text) }
    }

    func endRound() { rounds.withLock { $0 = ($0.now, []) } }
}
