// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

extension App {
    /// Stage 3: where and how the app runs.
    package struct Deploy: Sendable, Hashable {
        /// Waves, one after the other; the clusters of a wave at once.
        package var waves: [[ClusterName]]
        /// The name of the container, where it is not the app's.
        package var container: String?
        /// How long a wave must hold before the next one begins.
        package var bake: Duration
        package var unreachable: UnreachablePolicy
        package var verify: Verify?
        package var canary: [CanaryStep]
        package var replicas: Int
        /// Whether the file gives the number, or leaves it to who scales.
        package var saysReplicas: Bool
        package var ports: [Port]
        package var environment: [(name: String, value: EnvironmentValue)] {
            environmentList.map { ($0.name, $0.value) }
        }
        var environmentList: [EnvironmentVariable]
        package var files: [MountedFiles]
        package var before: [Job]
        package var manifests: [String]
        /// `requests` and `limits` as Kubernetes writes them.
        package var resources: JSON?
        package var probes: [String: Probe]
        package var volumes: [Volume]
        package var strategy: String
        package var terminationGracePeriod: Duration?
        /// How long the pods may take to be ready.
        package var deadline: Duration

        init(_ json: JSON) {
            waves = Self.waves(json["clusters"])
            container = json["container"]?.string
            bake = json.duration("bake") ?? .zero
            unreachable = json["unreachable"]?.string.flatMap(UnreachablePolicy.init(rawValue:)) ?? .fail
            verify = json["verify"].map { Verify($0) }
            canary = (json["canary"]?.array ?? []).map { CanaryStep($0) }
            replicas = json["replicas"]?.int ?? 1
            saysReplicas = json["replicas"] != nil
            ports = (json["ports"]?.array ?? []).map { Port($0) }
            environmentList = (json["env"]?.object ?? [:]).map {
                EnvironmentVariable(name: $0.key, value: EnvironmentValue($0.value))
            }
            files = (json["files"]?.array ?? []).map { MountedFiles($0) }
            before = (json["before"]?.array ?? []).map { Job(name: $0["name"]?.string ?? "", run: $0.texts("run")) }
            manifests = json.texts("manifests")
            resources = json["resources"]
            probes = [:]
            for (name, probe) in json["probes"]?.object ?? [:] { probes[name] = Probe(probe) }
            volumes = (json["volumes"]?.array ?? []).map { Volume($0) }
            strategy = json["strategy"]?.string ?? "RollingUpdate"
            terminationGracePeriod = json.duration("terminationGracePeriod")
            deadline = json.duration("deadline") ?? .seconds(300)
        }

        private static func waves(_ json: JSON?) -> [[ClusterName]] {
            let entries = json?.array ?? []
            if entries.isEmpty { return [[.local]] }
            let lists = entries.compactMap(\.array)
            guard lists.isEmpty else { return lists.map { $0.compactMap(\.string).map { ClusterName($0) } } }
            return [entries.compactMap(\.string).map { ClusterName($0) }]
        }
    }

    package struct Port: Sendable, Hashable {
        package var name: String
        package var port: Int
        package var servicePort: Int

        init(_ json: JSON) {
            name = json["name"]?.string ?? ""
            port = json["port"]?.int ?? 0
            servicePort = json["servicePort"]?.int ?? port
        }
    }

    struct EnvironmentVariable: Sendable, Hashable {
        var name: String
        var value: EnvironmentValue
    }

    package enum EnvironmentValue: Sendable, Hashable {
        case text(String)
        case secret(name: String, key: String, isOptional: Bool)
        case config(name: String, key: String, isOptional: Bool)

        init(_ json: JSON) {
            let key = json["key"]?.string ?? ""
            let isOptional = json["optional"]?.bool ?? false
            if let name = json["secretRef"]?.string {
                self = .secret(name: name, key: key, isOptional: isOptional)
            } else if let name = json["configRef"]?.string {
                self = .config(name: name, key: key, isOptional: isOptional)
            } else {
                self = .text(json.scalarText ?? "")
            }
        }
    }

    package struct MountedFiles: Sendable, Hashable {
        package var mountPath: String
        package var config: String?
        package var secret: String?

        init(_ json: JSON) {
            mountPath = json["mountPath"]?.string ?? ""
            config = json["configRef"]?.string
            secret = json["secretRef"]?.string
        }
    }

    package struct Job: Sendable, Hashable {
        package var name: String
        package var run: [String]
    }

    package struct Volume: Sendable, Hashable {
        package var name: String
        package var mountPath: String
        package var size: String
        package var storageClass: String?

        init(_ json: JSON) {
            name = json["name"]?.string ?? ""
            mountPath = json["mountPath"]?.string ?? ""
            size = json["size"]?.scalarText ?? ""
            storageClass = json["storageClass"]?.string
        }
    }

    package struct Probe: Sendable, Hashable {
        package enum Check: Sendable, Hashable {
            case http(path: String)
            case tcp
            case exec([String])
        }

        package var check: Check
        package var port: String?
        package var initialDelay: Duration?
        package var period: Duration?
        package var timeout: Duration?
        package var failureThreshold: Int?
        package var successThreshold: Int?

        init(_ json: JSON) {
            if let path = json["http"]?.string {
                check = .http(path: path)
            } else if json["exec"] != nil {
                check = .exec(json.texts("exec"))
            } else {
                check = .tcp
            }
            port = json["port"]?.string
            initialDelay = json.duration("initialDelay")
            period = json.duration("period")
            timeout = json.duration("timeout")
            failureThreshold = json["failureThreshold"]?.int
            successThreshold = json["successThreshold"]?.int
        }
    }
}

extension JSON {
    /// Text as it is, and a number as it was written.
    package var scalarText: String? {
        switch self {
        case .string(let text): text
        case .number(let number): number.text
        case .bool(let flag): "\(flag)"
        default: nil
        }
    }
}
