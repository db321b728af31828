// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension KubernetesServer {
    /// The documents under `/openapi`.
    func openAPI(_ document: String, _ request: APIRequest) -> APIResponse { Self.noPage }
}
