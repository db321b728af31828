// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
import Foundation
import Model
import NIOHTTP1
import Ports

extension RegistryExchange {
    typealias Key = AuthorizationCache<C>.Key

    func key(for scopes: [String]) -> Key {
        Key(registry: address.base.absoluteString, credentials: source.key, scopes: scopes)
    }

    /// The header that answers the challenges; `nil` where we have none.
    func authorization(_ challenges: [AuthChallenge], _ call: RegistryCall, _ key: Key) async throws -> String? {
        let asker = await asker(for: call)
        await authorizations.note(asker, for: key)
        if let bearer = challenges.first(where: { $0.scheme == "bearer" }) {
            if let token = asker.credentials?.registryToken { return "Bearer \(token)" }
            if bearer.parameters["realm"] != nil {
                let answer = try await token(bearer, call, asker, key)
                let header = "Bearer \(answer.token)"
                await authorizations.keep(header, for: key, life: answer.life)
                return header
            }
        }
        guard challenges.contains(where: { $0.scheme == "basic" }), let basic = asker.basic else { return nil }
        await authorizations.keep(basic, for: key, life: nil)
        return basic
    }

    /// A login that cannot be had does not keep us from asking as nobody; it is told where that is refused.
    private func asker(for call: RegistryCall) async -> Asker {
        switch source {
        case .nobody: return Asker()
        case .fixed(let credentials): return Asker(credentials: credentials)
        case .asked(let logins):
            do {
                guard let (login, origin) = try await logins.login(for: address.host, repository: call.repository)
                else { return Asker() }
                return Asker(credentials: login, origin: origin)
            } catch {
                return Asker(trouble: ErrorWords.text(of: error))
            }
        }
    }

    // MARK: the token service

    private func token(
        _ challenge: AuthChallenge,
        _ call: RegistryCall,
        _ asker: Asker,
        _ key: Key
    ) async throws -> TokenAnswer {
        guard let realm = challenge.parameters["realm"].flatMap({ URLComponents(string: $0) }), let url = realm.url
        else { throw Failure(.fault, "the registry '\(address.host)' names no usable token service") }
        if let refusal = trust.refusal(of: url, for: address.base, hasLogin: asker.credentials != nil) {
            throw Failure(.denied, "the registry '\(address.host)' \(refusal)")
        }
        let question = TokenQuestion(
            realm: realm,
            url: url,
            service: challenge.parameters["service"],
            scopes: TokenScopes.union(call.scopes, challenge.parameters["scope"]),
            call: call
        )
        return try await answer(to: question, asker, key)
    }

    /// By a refresh token where there is one, else by GET, else, where that is not offered, by OAuth2's password grant.
    private func answer(to question: TokenQuestion, _ asker: Asker, _ key: Key) async throws -> TokenAnswer {
        let remembered = await authorizations.refreshToken(for: key)
        if let refresh = remembered ?? asker.credentials?.identityToken {
            do {
                let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)]
                return try await ask(question.posting(form), nil, key)
            } catch let failure as Failure where remembered != nil && failure.code == .denied {
                // One that was handed out on the way has ended; the login itself may be good.
                await authorizations.keepRefreshToken(nil, for: key)
                return try await answer(to: question, asker, key)
            }
        }
        do {
            return try await ask(question.getting(), asker.basic, key)
        } catch let failure as Failure where failure.code == .notFound {
            guard let login = asker.credentials, !login.password.isEmpty else { throw failure }
            let form = [("grant_type", "password"), ("username", login.username), ("password", login.password)]
            return try await ask(question.posting(form), nil, key)
        }
    }

    private func ask(_ question: RegistryCall, _ basic: String?, _ key: Key) async throws -> TokenAnswer {
        let response = try await exchange(question, at: question.url, basic)
        switch response.status.code {
        case 200..<300:
            let bytes = try await body(of: response, limit: 1 << 20)
            guard let json = try? JSON(parsing: bytes), let answer = TokenAnswer(json) else {
                throw Failure(.fault, "the token service of the registry '\(address.host)' answered without a token")
            }
            if let refresh = answer.refreshToken { await authorizations.keepRefreshToken(refresh, for: key) }
            return answer
        case 404, 405:
            await discard(response)
            let problem =
                "the token service '\(question.url.host() ?? "")' of the registry '\(address.host)' is not there"
            throw Failure(.notFound, problem)
        // OAuth2 says 400 of a grant it does not honour.
        case 400, 401, 403: throw await refusal(response, question, key)
        default:
            _ = try await checked(response, question)
            throw await failure(of: response, to: question)
        }
    }
}

/// What a token service is asked.
private struct TokenQuestion {
    let realm: URLComponents
    let url: URL
    let service: String?
    let scopes: [String]
    let call: RegistryCall

    func getting() -> RegistryCall {
        var components = realm
        var items = components.queryItems ?? []
        if let service { items.append(URLQueryItem(name: "service", value: service)) }
        components.queryItems = items + scopes.map { URLQueryItem(name: "scope", value: $0) }
        // A plus sign means a space to many services, and Foundation leaves it as it is.
        components.percentEncodedQuery = components.percentEncodedQuery?.replacing("+", with: "%2B")
        var question = call
        question.method = .GET
        question.url = components.url ?? url
        question.headers = []
        question.body = .none
        return question
    }

    func posting(_ fields: [(String, String)]) -> RegistryCall {
        var form = [("client_id", "ballast")] + fields
        if let service { form.append(("service", service)) }
        form.append(("scope", scopes.joined(separator: " ")))
        let text = form.map { "\($0)=\(Self.encoded($1))" }.joined(separator: "&")
        var question = call
        question.method = .POST
        question.url = url
        question.headers = [("Content-Type", "application/x-www-form-urlencoded")]
        question.body = .bytes(Array(text.utf8))
        return question
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || [0x2D, 0x2E, 0x5F, 0x7E].contains(byte)
            guard !isPlain else { return String(UnicodeScalar(byte)) }
            let hex = String(byte, radix: 16, uppercase: true)
            return "%" + (hex.count == 1 ? "0" : "") + hex
        }.joined()
    }
}

extension Asker {
    /// The value of an `Authorization` header for the password.
    var basic: String? {
        guard let credentials, !credentials.username.isEmpty || !credentials.password.isEmpty else { return nil }
        return "Basic " + Base64.encode(Array("\(credentials.username):\(credentials.password)".utf8))
    }
}
