// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What a service reads from its environment at start.
public struct Configuration: Sendable {
    public let app: String
    public let version: String
    public let port: UInt16
    public let dataFolder: String
    public let misbehaviour: Misbehaviour
    /// For how long new connections are still taken after SIGTERM, until the cluster has heard of it.
    public var drain = Duration.milliseconds(300)
    /// How long requests in flight may take after that.
    public var grace = Duration.seconds(10)
    private let environment: [String: String]

    public struct Invalid: Error, CustomStringConvertible {
        public let problems: [String]
        public var description: String { problems.joined(separator: "; ") }
    }

    /// An empty value counts as none. All that is wrong is reported at once.
    public init(app: String, environment: [String: String], dataFolder: String = "/tmp") throws(Invalid) {
        let environment = environment.filter { !$0.value.isEmpty }
        var problems: [String] = []
        self.app = app
        self.environment = environment
        version = environment["VERSION"] ?? "dev"
        self.dataFolder = environment["DATA_DIR"] ?? dataFolder
        var misbehaviour = Misbehaviour()
        do {
            misbehaviour = try misbehaviour.applying(environment["MISBEHAVE"] ?? "")
        } catch {
            problems += error.problems.map { "MISBEHAVE: \($0)" }
        }
        self.misbehaviour = misbehaviour
        port = UInt16(environment["PORT"] ?? "8080") ?? 0
        if port == 0, environment["PORT"] != "0" {
            problems.append("PORT: '\(environment["PORT"] ?? "")' is not a port number")
        }
        guard problems.isEmpty else { throw Invalid(problems: problems) }
    }

    /// The address of another service.
    public func serviceURL(_ key: String, default text: String) throws(Invalid) -> ServiceURL {
        do {
            return try ServiceURL(environment[key] ?? text)
        } catch {
            throw Invalid(problems: ["\(key): \(error)"])
        }
    }

    public func duration(_ key: String, default text: String) throws(Invalid) -> Duration {
        let value = environment[key] ?? text
        guard let duration = Quantity.duration(value), duration > .zero else {
            throw Invalid(problems: ["\(key): '\(value)' is not a duration, such as 300ms or 2s"])
        }
        return duration
    }
}
