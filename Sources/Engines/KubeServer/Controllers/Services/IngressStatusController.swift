// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Tells each Ingress that the edge serves where the edge is.
struct IngressStatusController: Reconciler {
    let context: ControllerContext
    let name = "ingress-controller"

    private var mirrors: ClusterMirrors { context.mirrors }

    var triggers: [Trigger] {
        [
            .each(mirrors.ingresses),
            Trigger(mirrors.ingressClasses) { [mirrors] _ in mirrors.ingresses.objects.map { ObjectName($0) } },
        ]
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard let ingress = mirrors.ingresses[name], !ingress.isTerminating else { return nil }
        var status = ingress.status
        let path = ["loadBalancer", "ingress"]
        if EdgeClasses(mirrors.ingressClasses.objects).serve(ingress) {
            status.set(context.configuration.ingressAddress, at: path)
        } else {
            // Another class' address is its controller's business.
            guard status["loadBalancer"]?["ingress"] == context.configuration.ingressAddress else { return nil }
            status["loadBalancer"] = [:]
        }
        try await context.writer.setStatus(status, of: ingress, as: .ingresses)
        return nil
    }
}

/// Sees that the class of the cluster's own edge exists; Ingresses that name no class get it.
struct IngressClassController: Reconciler {
    let context: ControllerContext
    let name = "ingress-class-controller"

    private static let own = ObjectName(name: EdgeClasses.name)

    var triggers: [Trigger] { [.each(context.mirrors.ingressClasses)] }
    var initialNames: [ObjectName] { [Self.own] }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard name == Self.own, context.mirrors.ingressClasses[name] == nil else { return nil }
        var wanted = KubeObject(.ingressClasses, name: name.name)
        wanted.json.set(["ingressclass.kubernetes.io/is-default-class": "true"], at: ["metadata", "annotations"])
        wanted["spec"] = ["controller": .string(EdgeClasses.controller)]
        do {
            try await context.writer.create(wanted, as: .ingressClasses)
        } catch let failure as Failure where failure.status?.reason == "AlreadyExists" {}
        return nil
    }
}
