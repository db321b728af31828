// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Why an image cannot be pulled, read off the words of containerd, CRI-O, dockershim and the registries behind them.
struct PullTrouble {
    let code: Diagnosis.Code
    let cause: String
    let advice: String
    let grace: Duration

    init(_ said: String) {
        let message = Self.core(of: said)
        let words = Self.withoutDigests(message.lowercased())
        let kind = Self.kinds.first { $0.fits(words) } ?? Self.other
        code = kind.code
        cause = "\(kind.cause): \(message)"
        advice = kind.advices.first { words.contains($0.phrase) }?.advice ?? kind.advice
        grace = kind.grace
    }

    private struct Kind {
        var code: Diagnosis.Code
        var phrases: [String]
        /// Words that make the phrases mean something else.
        var exceptions: [String] = []
        var cause: String
        var advice: String
        /// Better advice where the words say more.
        var advices: [(phrase: String, advice: String)] = []
        var grace = Duration.seconds(5)

        func fits(_ words: String) -> Bool {
            phrases.contains { words.contains($0) } && !exceptions.contains { words.contains($0) }
        }
    }

    /// The first that fits counts: some texts of later ones stand in those of earlier ones.
    private static let kinds: [Kind] = [
        Kind(
            code: .wrongArchitecture,
            phrases: ["no matching manifest for", "no match for platform", "no image found in"],
            cause: "the image is not there for the node's processor",
            advice: "build it for the nodes' architecture"
        ),
        Kind(
            code: .rateLimited,
            phrases: ["toomanyrequests", "too many requests", "rate limit"],
            cause: "the registry lets the nodes pull no more for now",
            advice: "name a login in image.credentials, or pull from a mirror of your own",
            grace: .seconds(60)
        ),
        Kind(
            code: .registryDenies,
            phrases: [
                "unauthorized", "access denied", "is denied", "access forbidden", "403 forbidden", "status: 401",
                "status: 403", "authentication required", "authorization failed", "no basic auth credentials",
                ": denied: ", "denied: your", "invalid username/password",
            ],
            exceptions: ["permission denied"],
            cause: "the registry refuses the node",
            advice: "check image.credentials and the rights of that account",
            advices: [
                ("token has expired", "its login has ended: renew the Secret that image.credentials names"),
                ("may not exist", "check image.repository, and the rights of the account in image.credentials"),
                ("does not exist or may require", "check image.repository, and name a login in image.credentials"),
            ]
        ),
        Kind(
            code: .imageNameInvalid,
            phrases: [
                "did not resolve to an alias", "returns ambiguous list", "invalid reference format",
                "no registries configured while trying to pull an unqualified image",
            ],
            cause: "the image name is no full one",
            advice: "write the registry's name before the repository's",
            grace: .zero
        ),
        Kind(
            code: .imageMissing,
            phrases: ["manifest unknown", "name unknown", "not found"],
            exceptions: ["no such host", "server not found", "executable file not found"],
            cause: "the registry does not have the image",
            advice: "check image.repository and pullHost"
        ),
        Kind(
            code: .registryUntrusted,
            phrases: ["x509:", "server gave http response to https client", "tls: failed to verify", "tls: handshake"],
            cause: "the nodes do not trust the registry",
            advice: "give the nodes the authority that signed its certificate",
            advices: [
                (
                    "server gave http",
                    "give the registry a certificate, or let the nodes' runtime speak plain HTTP to it"
                ),
                ("has expired", "renew the registry's certificate"),
                ("valid for", "pull by a name that its certificate is for"),
            ],
            grace: .seconds(10)
        ),
        Kind(
            code: .nodeDiskFull,
            phrases: ["no space left on device", "disk quota exceeded"],
            cause: "the node has no room for the image",
            advice: "free some space on the node, or make the image smaller",
            grace: .seconds(30)
        ),
    ]

    private static let ownNode =
        "to a node 'localhost' is the node itself: name a registry that all nodes reach, by image.repository or pullHost"

    private static let other = Kind(
        code: .imagePullFails,
        phrases: [],
        cause: "the image cannot be pulled",
        advice: "check that nodes reach the registry",
        advices: [
            ("dial tcp 127.0.0.1:", Self.ownNode), ("dial tcp [::1]:", Self.ownNode),
            ("no such host", "correct the registry's name, or have the nodes' DNS know it"),
            ("server misbehaving", "look at the nodes' DNS, which does not answer for the registry's name"),
            ("500 internal server error", "look at the registry, which is in trouble itself"),
            ("502 bad gateway", "look at the registry, which is in trouble itself"),
            ("503 service unavailable", "look at the registry, which is in trouble itself"),
            ("is no longer supported", "build and push the image anew: its format is too old for the nodes"),
            ("unexpected commit digest", "push the image anew: what the registry has of it is damaged"),
        ],
        grace: .seconds(60)
    )

    // MARK: Words

    /// What each layer puts before the words of the one below, mostly with the image's name, which may hold any word.
    private static let heads: [(start: String, end: String)] = [
        ("Back-off pulling image \"", "\": ErrImagePull: "), ("Failed to pull image \"", "\": "),
        ("Failed to inspect image \"", "\": "),
        ("ErrImagePull: ", ""), ("RegistryUnavailable: ", ""), ("rpc error: code = ", " desc = "),
        ("failed to pull and unpack image \"", "\": "), ("failed to resolve reference \"", "\": "),
        ("failed to resolve image \"", "\": "), ("unable to pull image or OCI artifact: pull image err: ", ""),
        ("initializing source docker://", ": "), ("copying system image from manifest list: ", ""),
        ("choosing an image from manifest list docker://", ": no "), ("Error response from daemon: ", ""),
    ]

    private static func core(of message: String) -> String {
        var rest = message[...]
        while let (start, end) = heads.first(where: { rest.hasPrefix($0.start) }) {
            let body = rest.dropFirst(start.count)
            guard !end.isEmpty else {
                rest = body
                continue
            }
            // A reference has a colon of its own, but none with a space behind it.
            guard let place = body.firstRange(of: end) else { break }
            rest =
                end.hasSuffix("no ") ? body[body.index(place.upperBound, offsetBy: -3)...] : body[place.upperBound...]
        }
        return String(rest)
    }

    /// A digest may hold any digits, also those of a status code.
    private static func withoutDigests(_ text: String) -> String {
        text.split(separator: "sha256:", omittingEmptySubsequences: false).enumerated().map { place, part in
            place == 0 ? String(part) : String(part.drop { $0.isHexDigit })
        }.joined()
    }
}
