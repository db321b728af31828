// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Tells each Ingress where the edge is.
struct IngressStatusController: Reconciler {
    let context: ControllerContext
    let name = "ingress-controller"

    var triggers: [Trigger] { [.each(context.mirrors.ingresses)] }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard let ingress = context.mirrors.ingresses[name], !ingress.isTerminating else { return nil }
        var status = ingress.status
        status.set(context.configuration.ingressAddress, at: ["loadBalancer", "ingress"])
        try await context.writer.setStatus(status, of: ingress, as: .ingresses)
        return nil
    }
}
