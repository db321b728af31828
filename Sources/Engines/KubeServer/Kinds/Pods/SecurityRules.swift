// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What the API demands of security contexts, a pod's and a container's.
enum SecurityRules {
    private static let ids = 0...Int(Int32.max)

    static func checkPod(_ spec: JSON, _ field: String, _ errors: inout FieldErrors) {
        guard let context = spec["securityContext"] else { return }
        let at = "\(field).securityContext"
        for member in ["fsGroup", "runAsUser", "runAsGroup"] { checkID(context[member], "\(at).\(member)", &errors) }
        for (place, group) in (context["supplementalGroups"]?.array ?? []).enumerated() {
            checkID(group, "\(at).supplementalGroups[\(place)]", &errors)
        }
        if spec["shareProcessNamespace"]?.bool == true, spec["hostPID"]?.bool == true {
            let words = "ShareProcessNamespace and HostPID cannot both be enabled"
            errors.invalid("\(at).shareProcessNamespace", true, words)
        }
        checkSysctls(context["sysctls"]?.array ?? [], "\(at).sysctls", &errors)
        choice(context["fsGroupChangePolicy"], "\(at).fsGroupChangePolicy", ["Always", "OnRootMismatch"], &errors)
        checkSeccomp(context["seccompProfile"], "\(at).seccompProfile", &errors)
        checkWindows(context["windowsOptions"], "\(at).windowsOptions", &errors)
        checkAppArmor(context["appArmorProfile"], "\(at).appArmorProfile", &errors)
        choice(context["supplementalGroupsPolicy"], "\(at).supplementalGroupsPolicy", ["Merge", "Strict"], &errors)
        choice(context["seLinuxChangePolicy"], "\(at).seLinuxChangePolicy", ["MountOption", "Recursive"], &errors)
    }

    static func checkContainer(_ context: JSON?, _ at: String, _ errors: inout FieldErrors) {
        guard let context else { return }
        for member in ["runAsUser", "runAsGroup"] { checkID(context[member], "\(at).\(member)", &errors) }
        choice(context["procMount"], "\(at).procMount", ["Default", "Unmasked"], &errors)
        checkSeccomp(context["seccompProfile"], "\(at).seccompProfile", &errors)
        if context["allowPrivilegeEscalation"]?.bool == false {
            let denied = "cannot set `allowPrivilegeEscalation` to false and"
            if context["privileged"]?.bool == true {
                errors.invalid(at, InternalForm.value(context, as: "SecurityContext"), "\(denied) `privileged` to true")
            }
            for case "CAP_SYS_ADMIN" in context[path: "capabilities", "add"]?.array ?? [] {
                errors.invalid(
                    at,
                    InternalForm.value(context, as: "SecurityContext"),
                    "\(denied) `capabilities.Add` CAP_SYS_ADMIN"
                )
            }
        }
        checkWindows(context["windowsOptions"], "\(at).windowsOptions", &errors)
        checkAppArmor(context["appArmorProfile"], "\(at).appArmorProfile", &errors)
    }

    private static func checkID(_ id: JSON?, _ field: String, _ errors: inout FieldErrors) {
        guard let id = id?.int, !ids.contains(id) else { return }
        errors.invalid(field, id, "must be between 0 and 2147483647, inclusive")
    }

    private static func choice(_ value: JSON?, _ field: String, _ known: [String], _ errors: inout FieldErrors) {
        guard let text = value?.string, !known.contains(text) else { return }
        errors.notSupported(field, text, known)
    }

    private static let profiles = ["Localhost", "RuntimeDefault", "Unconfined"]

    private static func checkSeccomp(_ profile: JSON?, _ at: String, _ errors: inout FieldErrors) {
        guard let profile else { return }
        let type = profile["type"]?.string ?? ""
        if type.isEmpty {
            errors.required("\(at).type", "type is required when seccompProfile is set")
        } else {
            choice(.string(type), "\(at).type", profiles, &errors)
        }
        let file = profile["localhostProfile"]
        if type == "Localhost" {
            guard let path = file?.string else {
                return errors.required("\(at).localhostProfile", "must be set when seccomp type is Localhost")
            }
            RelativePath.check(path, "\(at).localhostProfile", &errors)
        } else if let file {
            let value: JSON = ["Type": .string(type), "LocalhostProfile": file]
            errors.invalid("\(at).localhostProfile", value, "can only be set when seccomp type is Localhost")
        }
    }

    private static func checkAppArmor(_ profile: JSON?, _ at: String, _ errors: inout FieldErrors) {
        guard let profile else { return }
        let type = profile["type"]?.string ?? ""
        if type.isEmpty {
            errors.required("\(at).type", "type is required when appArmorProfile is set")
        } else {
            choice(.string(type), "\(at).type", profiles, &errors)
        }
        let file = profile["localhostProfile"]
        if type == "Localhost", file == nil {
            errors.required("\(at).localhostProfile", "must be set when AppArmor type is Localhost")
        } else if type != "Localhost", let file {
            errors.invalid("\(at).localhostProfile", file, "can only be set when AppArmor type is Localhost")
        }
    }

    private static func checkWindows(_ options: JSON?, _ at: String, _ errors: inout FieldErrors) {
        guard let user = options?["runAsUserName"]?.string, user.isEmpty else { return }
        errors.invalid("\(at).runAsUserName", user, "runAsUserName cannot be an empty string")
    }

    private static let sysctlPattern =
        "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"

    private static func checkSysctls(_ sysctls: [JSON], _ at: String, _ errors: inout FieldErrors) {
        var names: Set<String> = []
        for (place, sysctl) in sysctls.enumerated() {
            let name = sysctl["name"]?.string ?? ""
            let field = "\(at)[\(place)].name"
            if name.isEmpty {
                errors.required(field)
            } else if !isSysctl(name) {
                errors.invalid(field, name, "must have at most 253 characters and match regex \(sysctlPattern)")
            } else if !names.insert(name).inserted {
                errors.duplicate(field, .string(name))
            }
        }
    }

    private static func isSysctl(_ name: String) -> Bool {
        guard name.utf8.count <= 253 else { return false }
        return name.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "." || $0 == "/" }).allSatisfy {
            part in
            let bytes = Array(part.utf8)
            func isLetter(_ byte: UInt8?) -> Bool {
                byte.map { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) } ?? false
            }
            return isLetter(bytes.first) && isLetter(bytes.last)
                && bytes.allSatisfy { isLetter($0) || $0 == 0x2D || $0 == 0x5F }
        }
    }
}

/// Addresses as the API has always taken them.
enum IPAddressRules {
    static let message = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"

    static func check(_ text: String, _ field: String, _ errors: inout FieldErrors) {
        if !isAddress(text) { errors.invalid(field, text, message) }
    }

    /// An address that others can send to.
    static func checkOrdinary(_ address: String, _ field: String, _ errors: inout FieldErrors) {
        guard isAddress(address) else { return errors.invalid(field, address, message) }
        if address == "0.0.0.0" || address == "::" {
            errors.invalid(field, address, "may not be unspecified (\(address))")
        } else if address.hasPrefix("127.") || address == "::1" {
            errors.invalid(field, address, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
        } else if address.hasPrefix("169.254.") || address.lowercased().hasPrefix("fe80:") {
            errors.invalid(field, address, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
        } else if address.hasPrefix("224.0.0.") || address.lowercased().hasPrefix("ff02:") {
            errors.invalid(field, address, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
        }
    }

    static func isAddress(_ text: String) -> Bool { isFour(text) || isSix(text) }

    static func isFour(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                part.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt8(part) != nil
            }
    }

    /// Up to eight groups of hexadecimal digits, one run of them left out, the last two perhaps in the older form.
    static func isSix(_ text: String) -> Bool {
        let halves = text.components(around: "::")
        guard halves.count <= 2, text.contains(":") else { return false }
        var count = 0
        for (place, half) in halves.enumerated() where !half.isEmpty {
            let groups = half.split(separator: ":", omittingEmptySubsequences: false)
            for (index, group) in groups.enumerated() {
                let isLast = place == halves.count - 1 && index == groups.count - 1
                if isLast, group.contains(".") {
                    guard isFour(String(group)) else { return false }
                    count += 2
                } else {
                    guard (1...4).contains(group.utf8.count), UInt16(group, radix: 16) != nil, group.first != "+" else {
                        return false
                    }
                    count += 1
                }
            }
        }
        return halves.count == 2 ? count < 8 : count == 8
    }
}

extension String {
    fileprivate func components(around separator: String) -> [String] {
        var rest = self[...]
        var parts: [String] = []
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}
