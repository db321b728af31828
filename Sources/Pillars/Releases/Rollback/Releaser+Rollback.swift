// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
import Ports

extension Releaser {
    /// Goes back to an earlier release of an app, from its record alone: no source, no test, no build.
    ///
    /// All clusters of that release and of the one that serves are changed at once, each on its own: one that does not
    /// answer keeps none of the others back. Recorded as a release with a number of its own. Throws `notFound` and
    /// `conflict` before anything is done, also where the image is no longer in its registry.
    package func rollback(_ app: AppName, in namespace: NamespaceName?, to number: Int?) async throws -> ReleaseRecord {
        let kit = kit
        let retry = kit.retry(progress)
        let namespace = try await place(of: app, namespace, retry)
        let history = try await ReleaseBook.reader(home, clock, retry).history(app, namespace)
        let target = try RollbackChoice.target(of: app, in: history, to: number)
        guard let bare = target.declaredApp, let image = target.image.flatMap({ ImageReference($0) }) else {
            throw Failure(.fault, "the record of release \(target.name) cannot be read")
        }
        let declared = try await ManifestBook(home: home, retry: retry).restore(bare, of: target)
        let login = await login(of: declared, retry)
        try await demandImage(image, of: declared, target.name, login)
        let serving = history.first { $0.phase == .succeeded }
        var names = target.clusters.map(\.cluster)
        for name in ([history.first, serving].compactMap(\.self).flatMap(\.clusters)).map(\.cluster)
        where !names.contains(name) { names.append(name) }
        // Who works in one namespace alone may not see the clusters, and needs none but the home cluster.
        let known =
            names == [.local]
            ? names.map(\.text) : try await retry("read the clusters") { [clusters] in try await clusters.names() }
        let gone = names.filter { !known.contains($0.text) }
        names.removeAll { gone.contains($0) }
        guard !names.isEmpty else {
            throw Failure(
                .notFound,
                "release \(target.name) ran in \(ReleaseWords.list(gone)), which nobody knows any more; 'ballast clusters add' makes it known again"
            )
        }
        let draft = ReleaseDraft(
            app: declared,
            waves: [names],
            by: origin.person(),
            revision: target.revision,
            image: image.description,
            rollbackTo: target.rollbackTo ?? target.number
        )
        let note =
            "going back to release \(target.name), \("\(image.digest.map { "\($0)" } ?? image.description)".prefix(19))"
        let left = gone.isEmpty ? [] : ["no longer known, and left as it is: \(ReleaseWords.list(gone))"]
        return try await run(draft, .image(declared), login: login, notes: [note] + left)
    }

    /// The namespace of an app that is named without one.
    private func place(of app: AppName, _ namespace: NamespaceName?, _ retry: CallRetry) async throws -> NamespaceName {
        if let namespace { return namespace }
        let labels = LabelSelector(matching: [ReleaseRecord.appLabel: app.text])
        let found = try await retry("read the releases of '\(app)'") { [home] in
            try await home.records(ListQuery(.releases, labelSelector: labels))
        }
        let namespaces = Set(found.compactMap { ReleaseRecord($0)?.namespace.text }).sorted()
        guard namespaces.count < 2 else {
            throw Failure(
                .invalidInput,
                "there are apps '\(app)' in the namespaces \(namespaces.joined(separator: ", ")); say which by -n"
            )
        }
        guard let only = namespaces.first else {
            throw Failure(.notFound, "there is no release of '\(app)' on record; 'ballast status' lists the apps")
        }
        return NamespaceName(only)
    }

    /// A login that is gone is no reason not to go back: the clusters have their pull secret.
    private func login(of app: App, _ retry: CallRetry) async -> RegistryCredentials? {
        guard let image = ImageReference(app.image.repository) else { return nil }
        do {
            return try await credentials(of: app, image, retry)
        } catch {
            await progress.report(.note("without a login for the registry: \(ErrorWords.text(of: error))"))
            return nil
        }
    }

    /// Asks the registry as pushes do, not by the host that nodes pull from.
    private func demandImage(
        _ image: ImageReference,
        of app: App,
        _ release: String,
        _ login: RegistryCredentials?
    ) async throws {
        var pushed = image
        if let name = ImageReference(app.image.repository) {
            (pushed.registry, pushed.repository) = (name.registry, name.repository)
        }
        do {
            _ = try await registries.registry(pushed.registry, credentials: login).manifest(pushed)
        } catch let failure as Failure where failure.code == .notFound {
            throw Failure(
                .conflict,
                "the image of release \(release) is no longer in the registry (\(pushed)), so nothing was changed; name another release by --to, or release from source"
            )
        } catch {
            // Nodes may have it, and may reach what we do not.
            await progress.report(
                .note("whether the registry still has the image is not known: \(ErrorWords.text(of: error))")
            )
        }
    }
}
