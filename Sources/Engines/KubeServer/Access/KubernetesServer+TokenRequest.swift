// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

extension KubernetesServer {
    private static let tokenRequests = ResourceType(
        group: "authentication.k8s.io",
        version: "v1",
        plural: "tokenrequests",
        kind: "TokenRequest",
        isNamespaced: true
    )
    private static let shownType = "TokenRequest.authentication.k8s.io"
    /// What the admission of pods asks for; those tokens live on for clients that never read the file again.
    private static let injectedLifetime = 3607
    private static let extendedLifetime = 31_536_000

    /// Issues a token for the account, for some time and audiences, and perhaps bound to one object.
    func tokenResponse(_ call: Call, _ name: String) async throws(KubeStatus) -> APIResponse {
        let parameters = try WriteParameters(call, kind: "CreateOptions")
        let decoder = BodyDecoder(call.resource, as: Self.tokenRequests, parameters.validation)
        let decoded = try decoder.decode(call.request)
        let namespace = call.namespace ?? ""
        guard let signer = tokens.signer else { throw .notYet("serviceaccounts/token") }
        try checkTokenNames(decoded.object, name, namespace)
        let account = try StoredJSON.parse(try find(call.resource, namespace, name).value, as: nil)
        let uid = account[path: "metadata", "uid"]?.string ?? ""
        try checkTokenUID(decoded.object, name, uid)
        var spec = decoded.object["spec"] ?? [:]
        if spec["audiences"]?.array?.isEmpty ?? true {
            spec["audiences"] = .array(tokens.audiences.map { .string($0) })
        }
        if spec["expirationSeconds"]?.int == nil { spec["expirationSeconds"] = 3600 }
        let owned = ownedFields(spec, decoded.object, parameters)
        if spec["boundObjectRef"] == nil { spec["boundObjectRef"] = .null }
        let seconds = spec["expirationSeconds"]?.int ?? 3600
        try checkLifetime(seconds)
        let own = try boundClaims(spec["boundObjectRef"] ?? .null, namespace, name)
        let claims = tokenClaims(spec, own, namespace, name, uid, seconds)
        let token: String
        do {
            token = try WebToken.sign(claims, by: signer)
        } catch {
            throw .fault("the token cannot be signed: \(error)")
        }
        let now = clock.now
        var answer: JSON = [
            "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
            "metadata": [
                "name": .string(name), "namespace": .string(namespace), "uid": .string(uid),
                "creationTimestamp": .string(now.description),
            ],
            "spec": spec,
            "status": [
                "token": .string(token), "expirationTimestamp": .string((now + .seconds(seconds)).description),
            ],
        ]
        answer.set(owned, at: ["metadata", "managedFields"])
        return call.respond(answer, status: 201, warnings: decoded.warnings)
    }

    /// The managed fields of the request, which the answer shows; audiences that the server chose are nobody's.
    private func ownedFields(_ spec: JSON, _ request: JSON, _ parameters: WriteParameters) -> JSON? {
        var request = request
        request.set(spec["expirationSeconds"], at: ["spec", "expirationSeconds"])
        let resource = Resource(Self.tokenRequests, strategy: PlainStrategy(), columns: ServiceAccountColumns())
        let manager = FieldManager(resource, subresource: "token", now: clock.now.description) { version in
            version == resource.type.apiVersion ? FieldType(resource) : nil
        }
        return manager.update(nil, request, manager: parameters.manager)
    }

    private func checkTokenNames(_ request: JSON, _ name: String, _ namespace: String) throws(KubeStatus) {
        let space = request[path: "metadata", "namespace"]?.string ?? ""
        guard space.isEmpty || space == namespace else {
            throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
        }
        let given = request[path: "metadata", "name"]?.string ?? ""
        guard given.isEmpty || given == name else {
            var errors = FieldErrors()
            errors.invalid("metadata.name", given, "must match the service account name if specified")
            throw .invalid(errors, kind: "TokenRequest", group: "authentication.k8s.io", name: name)
        }
    }

    private func checkTokenUID(_ request: JSON, _ name: String, _ uid: String) throws(KubeStatus) {
        let given = request[path: "metadata", "uid"]?.string ?? ""
        guard !given.isEmpty, given != uid else { return }
        throw .conflict(
            ResourceType(
                group: "authentication.k8s.io",
                version: "v1",
                plural: "TokenRequest",
                kind: "TokenRequest",
                isNamespaced: true
            ),
            name,
            "the UID in the token request (\(given)) does not match the UID of the service account (\(uid))"
        )
    }

    private func checkLifetime(_ seconds: Int) throws(KubeStatus) {
        var errors = FieldErrors()
        let field = "spec.expirationSeconds"
        if seconds < 600 { errors.invalid(field, seconds, "may not specify a duration less than 10 minutes") }
        if seconds > 1 << 32 { errors.invalid(field, seconds, "may not specify a duration larger than 2^32 seconds") }
        guard errors.isEmpty else {
            throw .invalid(errors, kind: "TokenRequest", group: "authentication.k8s.io", name: "")
        }
    }

    /// What the token says of the object it is bound to.
    private func boundClaims(_ reference: JSON, _ namespace: String, _ account: String) throws(KubeStatus) -> JSONObject
    {
        guard reference.object != nil else { return [:] }
        let apiVersion = reference["apiVersion"]?.string ?? ""
        let kind = reference["kind"]?.string ?? ""
        let types: [String: ResourceType] = ["Pod": .pods, "Secret": .secrets, "Node": .nodes]
        guard apiVersion == "v1", let type = types[kind], let resource = catalog.resource(of: type) else {
            let shown = apiVersion.contains("/") ? apiVersion : "/\(apiVersion)"
            throw .badRequest("cannot bind token to object of type \(shown), Kind=\(kind)")
        }
        let name = reference["name"]?.string ?? ""
        let place = type.isNamespaced ? namespace : nil
        let object = try StoredJSON.parse(try find(resource, place, name).value, as: nil)
        if type == .pods, object[path: "spec", "serviceAccountName"]?.string ?? "" != account {
            throw .badRequest(
                "cannot bind token for serviceaccount \"\(account)\" to pod running with different serviceaccount name."
            )
        }
        let uid = object[path: "metadata", "uid"]?.string ?? ""
        let given = reference["uid"]?.string ?? ""
        guard given.isEmpty || given == uid else {
            throw .conflict(
                type,
                name,
                "the UID in the bound object reference (\(given)) does not match the UID in record. The object might "
                    + "have been deleted and then recreated",
                resource: kind
            )
        }
        var claims: JSONObject = [kind.lowercased(): ["name": .string(name), "uid": .string(uid)]]
        if type == .pods, let node = object[path: "spec", "nodeName"]?.string, !node.isEmpty {
            claims["node"] = nodeClaim(node)
        }
        return claims
    }

    private func nodeClaim(_ name: String) -> JSON {
        var claim: JSONObject = ["name": .string(name)]
        if let stored = try? log.get("/registry/nodes/\(name)"),
            let node = try? StoredJSON.parse(stored.value, as: nil),
            let uid = node[path: "metadata", "uid"]?.string
        {
            claim["uid"] = .string(uid)
        }
        return .object(claim)
    }

    private func tokenClaims(
        _ spec: JSON,
        _ bound: JSONObject,
        _ namespace: String,
        _ name: String,
        _ uid: String,
        _ seconds: Int
    ) -> JSON {
        let now = Int(clock.now.seconds)
        var own: JSONObject = ["namespace": .string(namespace)]
        for (key, value) in bound { own[key] = value }
        own["serviceaccount"] = ["name": .string(name), "uid": .string(uid)]
        let audiences = spec["audiences"]?.array?.compactMap(\.string) ?? []
        var end = now + seconds
        if bound["pod"] != nil, seconds == Self.injectedLifetime,
            audiences.allSatisfy({ tokens.audiences.contains($0) })
        {
            end = now + Self.extendedLifetime
            own["warnafter"] = JSON(now + seconds)
        }
        return [
            "aud": .array(audiences.map { .string($0) }), "exp": JSON(end), "iat": JSON(now),
            "iss": .string(tokens.issuer), "jti": .string(randomness.uuid()), "kubernetes.io": .object(own),
            "nbf": JSON(now), "sub": .string("system:serviceaccount:\(namespace):\(name)"),
        ]
    }

    /// What others need to check the tokens themselves; `nil` for any other path.
    func issuerDocument(_ path: String) -> APIResponse? {
        guard let signer = tokens.signer else { return nil }
        switch path {
        case "/openid/v1/jwks", "/openid/v1/jwks/":
            return APIResponse(
                status: 200,
                contentType: "application/jwk-set+json",
                headers: [("Cache-Control", "public, max-age=3600")],
                body: .bytes(signer.keySet)
            )
        case "/.well-known/openid-configuration", "/.well-known/openid-configuration/":
            let document: JSON = [
                "issuer": .string(tokens.issuer),
                "jwks_uri": .string("https://\(configuration.address)/openid/v1/jwks"),
                "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [.string(signer.algorithm)],
            ]
            var answer = Self.response(document)
            answer.headers = [("Cache-Control", "public, max-age=3600")]
            return answer
        default: return nil
        }
    }
}
