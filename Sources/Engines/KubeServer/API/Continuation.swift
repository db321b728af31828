// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Where a list goes on: the revision it reads and the key after which the next page starts.
///
/// The text is the real API's: base64url without padding over `{"v":"meta.k8s.io/v1","rv":N,"start":"KEY\u0000"}`,
/// the key relative to the collection. A revision of -1 goes on at the newest state.
struct Continuation: Sendable, Equatable {
    var revision: Int64
    /// Relative to the collection's prefix.
    var after: String

    var text: String {
        let json: JSON = [
            "v": "meta.k8s.io/v1", "rv": .number(JSONNumber(text: String(revision))), "start": .string("\(after)\u{0}"),
        ]
        return URLBase64.encode(json.bytes)
    }

    init(revision: Int64, after: String) {
        self.revision = revision
        self.after = after
    }

    init(parsing text: String) throws(KubeStatus) {
        func broken(_ why: String) -> KubeStatus {
            .badRequest("invalid continue token: continue key is not valid: \(why)")
        }
        let bytes: [UInt8]
        switch URLBase64.decode(text) {
        case .success(let decoded): bytes = decoded
        case .failure(let error): throw broken("illegal base64 data at input byte \(error.offset)")
        }
        let json: JSON
        do {
            json = try JSON(parsing: bytes)
        } catch {
            throw broken(Self.goText(error, bytes))
        }
        guard json.object != nil || json.isNull else {
            throw broken("json: cannot unmarshal \(json.goKind) into Go value of type storage.continueToken")
        }
        guard json["v"]?.string == "meta.k8s.io/v1" else {
            throw broken(
                "server does not recognize this encoded version \(json["v"]?.string ?? "")"
            )
        }
        guard let revision = json["rv"]?.int, revision != 0 else {
            throw broken("incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
        }
        guard let start = json["start"]?.string, !start.isEmpty else {
            throw broken("encoded start key empty (version meta.k8s.io/v1)")
        }
        var key = start.hasPrefix("/") ? String(start.dropFirst()) : start
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else { throw broken(start) }
        if key.hasSuffix("\u{0}") { key.removeLast() }
        self.init(revision: Int64(revision), after: key)
    }

    private static func goText(_ error: JSONError, _ bytes: [UInt8]) -> String {
        guard let first = bytes.first, first >= 0x80, error.offset == 0 else {
            return GoJSONErrors.text(error, in: bytes)
        }
        return "invalid character '\\x\(String(first, radix: 16))' looking for beginning of value"
    }
}

/// Base64 in the alphabet for addresses, without padding.
enum URLBase64 {
    struct Broken: Error { var offset: Int }

    static func encode(_ bytes: [UInt8]) -> String {
        Base64.encode(bytes).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Fails with the offset of the first byte that does not belong, as Go counts it.
    static func decode(_ text: String) -> Result<[UInt8], Broken> {
        let bytes = Array(text.utf8)
        let isLetter: (UInt8) -> Bool = { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == 0x2D || byte == 0x5F
        }
        if let offset = bytes.firstIndex(where: { !isLetter($0) }) { return .failure(Broken(offset: offset)) }
        let padding = String(repeating: "=", count: (4 - bytes.count % 4) % 4)
        let standard = text.replacing("-", with: "+").replacing("_", with: "/") + padding
        guard bytes.count % 4 != 1, let decoded = Base64.decode(standard) else {
            return .failure(Broken(offset: bytes.count))
        }
        return .success(decoded)
    }
}
