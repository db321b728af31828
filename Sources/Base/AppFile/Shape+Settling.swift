// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

extension Shape {
    /// The value as JSON, in which every ``scalar`` is text: `PORT: 8080` means `"8080"`, and `VERSION: 1.10` stays `"1.10"`.
    package func settled(_ value: YAMLValue) -> JSON {
        switch (self, value.content) {
        case (.scalar, .scalar(let scalar)) where !scalar.isNull: .string(value.written ?? scalar.scalarText ?? "")
        case (.list(let element, _), .sequence(let elements)): .array(elements.map(element.settled))
        case (.map(let element, _), .mapping(let members)):
            .object(JSONObject(members.map { ($0.key, element.settled($0.value)) }))
        case (.object(let object), .mapping(let members)):
            .object(
                JSONObject(
                    members.map { member in
                        let shape = object.fields.first { $0.name == member.key }?.shape ?? .any
                        return (member.key, shape.settled(member.value))
                    }
                )
            )
        case (.either(let shapes), _): (shapes.first { $0.accepts(value) } ?? .any).settled(value)
        default: value.json
        }
    }
}
