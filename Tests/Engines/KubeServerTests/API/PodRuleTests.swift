// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

/// What the real server answers to the same pods.
@Suite("rules for pods")
struct PodRuleTests {
    private static let pods = "/api/v1/namespaces/default/pods"

    private func send(_ spec: String, _ container: String) async throws -> APIResponse {
        let test = try await TestServer {
            $0.requiresServiceAccounts = false
            $0.refusesUnsupportedPods = false
        }
        let body = #"{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"\#(container)}]\#(spec)}}"#
        return await test.send("POST", Self.pods, bytes: Array(body.utf8))
    }

    @Test(
        "what a pod's spec may not say is refused in the real words",
        arguments: [
            (
                #","dnsPolicy":"None""#,
                "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"
            ),
            (
                #","dnsConfig":{"nameservers":["x"]}"#,
                #"spec.dnsConfig.nameservers[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#
            ),
            (#","dnsConfig":{"options":[{}]}"#, "spec.dnsConfig.options[0]: Required value: must not be empty"),
            (
                #","affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{}}}"#,
                "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: "
                    + "must have at least one node selector term"
            ),
            (
                #","topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"a","whenUnsatisfiable":"ScheduleAnyway","minDomains":2}]"#,
                "spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if "
                    + "whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"
            ),
            (
                #","schedulingGates":[{"name":"a"},{"name":"a"}]"#,
                #"spec.schedulingGates[1]: Duplicate value: "a""#
            ),
            (
                #","securityContext":{"fsGroup":-1,"supplementalGroups":[-1]}"#,
                "[spec.securityContext.fsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive, "
                    + "spec.securityContext.supplementalGroups[0]: Invalid value: -1: must be between 0 and 2147483647, inclusive]"
            ),
            (#","hostname":"a.b""#, #"spec.hostname: Invalid value: "a.b": must not contain dots"#),
            (#","os":{"name":"x"}"#, #"spec.os: Unsupported value: "x": supported values: "linux", "windows""#),
            (
                #","ephemeralContainers":[{"name":"e","image":"i"}]"#,
                "spec.ephemeralContainers: Forbidden: cannot be set on create"
            ),
            (
                #","tolerations":[{"key":"a","operator":"Exists","value":"x"}]"#,
                #"spec.tolerations[0].operator: Invalid value: "x": value must be empty when `operator` is 'Exists'"#
            ),
            (
                #","volumes":[{"name":"v","hostPath":{"path":"/a","type":"X"}}]"#,
                #"spec.volumes[0].hostPath.type: Unsupported value: "X": supported values: "", "BlockDevice", "CharDevice", "#
                    + #""Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket""#
            ),
            (
                #","volumes":[{"name":"v","nfs":{"server":"x","path":"rel"}}]"#,
                #"spec.volumes[0].nfs.path: Invalid value: "rel": must be an absolute path"#
            ),
        ]
    )
    func specs(_ spec: String, _ problem: String) async throws {
        let answer = try await send(spec, "")
        #expect(answer.status == 422)
        #expect(answer.message == #"Pod "p" is invalid: \#(problem)"#)
    }

    @Test(
        "what a container may not say is refused in the real words",
        arguments: [
            (
                #","securityContext":{"seccompProfile":{"type":"RuntimeDefault","localhostProfile":"x"}}"#,
                "spec.containers[0].securityContext.seccompProfile.localhostProfile: Invalid value: "
                    + #"{"Type":"RuntimeDefault","LocalhostProfile":"x"}: can only be set when seccomp type is Localhost"#
            ),
            (
                #","env":[{"name":"a","valueFrom":{"fieldRef":{"fieldPath":"nope"}}}]"#,
                #"spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "nope": error converting fieldPath: "#
                    + "field label not supported: nope"
            ),
            (
                #","env":[{"name":"a","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu","divisor":"5"}}}]"#,
                #"spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's "#
                    + "values 1m and 1 are supported with the cpu resource"
            ),
            (
                #","envFrom":[{}]"#,
                #"spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`"#
            ),
            (
                #","resources":{"requests":{"a/b":"1"},"limits":{"a/b":"2"}}"#,
                #"spec.containers[0].resources.requests: Invalid value: "1": must be equal to a/b limit of 2"#
            ),
            (
                #","ports":[{"containerPort":80,"hostPort":80},{"containerPort":81,"hostPort":80}]"#,
                #"spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80""#
            ),
            (
                #","lifecycle":{"preStop":{"sleep":{"seconds":31}}}"#,
                "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than "
                    + "terminationGracePeriodSeconds (30)"
            ),
        ]
    )
    func containers(_ container: String, _ problem: String) async throws {
        let answer = try await send("", container)
        #expect(answer.status == 422)
        #expect(answer.message == #"Pod "p" is invalid: \#(problem)"#)
    }

    @Test(
        "what is allowed and hardly meant is warned of",
        arguments: [
            (
                #","env":[{"name":"a","value":"1"},{"name":"a","value":"2"}]"#,
                #"spec.containers[0].env[1]: hides previous definition of "a", which may be dropped when using apply"#
            ),
            (
                #","ports":[{"containerPort":80},{"containerPort":80}]"#,
                "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]"
            ),
        ]
    )
    func oddities(_ container: String, _ warning: String) async throws {
        let answer = try await send("", container)
        #expect(answer.status == 201)
        #expect(answer.warnings == [warning])
    }

    @Test(
        "addresses are told from other texts",
        arguments: [
            ("10.0.0.1", true), ("10.0.0.256", false), ("10.0.0", false), ("::", true), ("::1", true),
            ("2001:db8::ffff", true), ("1:2:3:4:5:6:7:8", true), ("1:2:3:4:5:6:7", false), ("1::2::3", false),
            ("::ffff:10.0.0.1", true), ("12345::", false), ("", false), ("x", false),
        ]
    )
    func addresses(_ text: String, _ isOne: Bool) {
        #expect(IPAddressRules.isAddress(text) == isOne)
    }
}
