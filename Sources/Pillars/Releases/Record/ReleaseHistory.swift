// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
package import Ports

/// The releases of an app as they are on record.
package enum ReleaseHistory {
    /// Newest first; of the app's only namespace where none is given. Throws `notFound`, and `invalidInput` where several
    /// namespaces have an app of that name.
    package static func read(
        _ app: AppName,
        _ namespace: String?,
        from cluster: any ClusterAPI
    ) async throws -> [ReleaseRecord] {
        let labels = LabelSelector(matching: [ReleaseRecord.appLabel: app.text])
        // Who names a namespace may be one who may look only there.
        let places = namespace.map { [ReleaseRecord.systemNamespace, $0] } ?? [nil]
        var found: [KubeObject] = []
        for place in places {
            found += try await cluster.records(ListQuery(.releases, namespace: place, labelSelector: labels))
        }
        let records = found.compactMap { ReleaseRecord($0) }.filter {
            namespace == nil || $0.namespace.text == namespace
        }
        let namespaces = Set(records.map(\.namespace.text)).sorted()
        guard namespaces.count < 2 else {
            throw Failure(
                .invalidInput,
                "there are apps '\(app)' in the namespaces \(namespaces.joined(separator: ", ")); say which by -n"
            )
        }
        guard !records.isEmpty else {
            throw Failure(.notFound, "there is no release of '\(app)' on record; 'ballast status' lists the apps")
        }
        // While a record moves from Ballast's namespace to its own it is in both.
        var byNumber: [Int: ReleaseRecord] = [:]
        for record in records where byNumber[record.number] == nil || record.keptIn == record.namespace.text {
            byNumber[record.number] = record
        }
        return byNumber.values.sorted { $0.number > $1.number }
    }
}
