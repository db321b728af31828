// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model

/// An Event beside a Service or an Ingress.
struct ProxyEvent {
    var subject: ProxyWarning.Subject
    var namespace: String
    var name: String
    var uid: String
    var isWarning = true
    var reason: String
    var message: String

    init(
        subject: ProxyWarning.Subject,
        namespace: String,
        name: String,
        uid: String,
        isWarning: Bool,
        reason: String,
        message: String
    ) {
        self.subject = subject
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.isWarning = isWarning
        self.reason = reason
        self.message = message
    }

    init(_ warning: ProxyWarning) {
        self.init(
            subject: warning.subject,
            namespace: warning.namespace,
            name: warning.name,
            uid: warning.uid,
            isWarning: true,
            reason: warning.reason,
            message: warning.message
        )
    }

    var object: KubeObject {
        let (type, kind): (ResourceType, String) =
            subject == .ingress ? (.ingresses, "Ingress") : (.services, "Service")
        let stamp = Timestamp.present
        let suffix = String(UInt64.random(in: 0 ... .max), radix: 16)
        var event = KubeObject(.events, namespace: namespace, name: "\(name).\(suffix)")
        event["involvedObject"] = [
            "apiVersion": .string(type.apiVersion), "kind": .string(kind), "namespace": .string(namespace),
            "name": .string(name), "uid": .string(uid),
        ]
        event["type"] = isWarning ? "Warning" : "Normal"
        event["reason"] = .string(reason)
        event["message"] = .string(message)
        event["source"] = ["component": "ballast-proxy"]
        event["reportingComponent"] = "ballast-proxy"
        event["reportingInstance"] = ""
        event["firstTimestamp"] = .string(stamp.description)
        event["lastTimestamp"] = .string(stamp.description)
        event["count"] = 1
        return event
    }
}

extension Timestamp {
    /// The present moment by the machine's clock.
    fileprivate static var present: Timestamp {
        var moment = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &moment)
        return Timestamp(nanoseconds: Int64(moment.tv_sec) * 1_000_000_000 + Int64(moment.tv_nsec))
    }
}
