// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// JSON patch (RFC 6902), with the limits a real API server sets.
struct JSONPatch {
    enum Action: String { case add, remove, replace, move, copy, test }

    struct Operation {
        var action: Action
        var path: JSONPointer
        var from: JSONPointer?
        var value: JSON?
    }

    /// At most so many operations in one patch.
    static let operationLimit = 10_000
    /// `copy` may add at most so many bytes in one patch: repeated copies double.
    static let copyLimit = 3 * 1024 * 1024

    private let operations: [Operation]

    /// Reads the operations; every problem in their form is found here, before anything is applied.
    init(_ patch: JSON) throws(PatchError) {
        guard case .array(let entries) = patch.isNull ? [] : patch else {
            throw .badRequest(
                "error decoding patch: json: cannot unmarshal \(patch.goKind) into Go value of type []handlers.jsonPatchOp"
            )
        }
        guard entries.count <= Self.operationLimit else {
            throw .tooLarge(
                "The allowed maximum operations in a JSON patch is \(Self.operationLimit), got \(entries.count)"
            )
        }
        var operations: [Operation] = []
        operations.reserveCapacity(entries.count)
        for entry in entries { operations.append(try Self.operation(entry)) }
        self.operations = operations
    }

    /// Where the operations go, as nested members: what the real server reads and writes anew.
    var places: JSON {
        var tree: JSON = [:]
        for operation in operations {
            for pointer in [operation.path, operation.from].compactMap({ $0 }) where !pointer.tokens.isEmpty {
                tree.mark(pointer.tokens.dropLast())
            }
        }
        return tree
    }

    func apply(to object: JSON) throws(PatchError) -> JSON {
        var result = object
        var copied = 0
        for operation in operations { try Self.perform(operation, on: &result, copied: &copied) }
        return result
    }

    private static func operation(_ entry: JSON) throws(PatchError) -> Operation {
        guard case .object(let members) = entry else {
            throw .badRequest(
                "error decoding patch: json: cannot unmarshal \(entry.goKind) into Go value of type handlers.jsonPatchOp"
            )
        }
        for name in ["op", "path", "from"] {
            guard let value = members[name], value.string == nil, !value.isNull else { continue }
            throw .badRequest(
                "error decoding patch: json: cannot unmarshal \(value.goKind) into Go struct field jsonPatchOp.\(name) of "
                    + "type string"
            )
        }
        let name = members["op"]?.string ?? "unknown"
        guard let action = Action(rawValue: name) else { throw .unprocessable("Unexpected kind: \(name)") }
        let path = try pointer(members["path"], of: action, "path")
        var operation = Operation(action: action, path: path, value: members["value"])
        if action == .move || action == .copy { operation.from = try pointer(members["from"], of: action, "from") }
        return operation
    }

    private static func pointer(_ text: JSON?, of action: Action, _ member: String) throws(PatchError) -> JSONPointer {
        guard let text = text?.string else {
            throw .unprocessable("\(action.rawValue) operation failed to decode \(member)")
        }
        guard let pointer = JSONPointer(text) else {
            throw .unprocessable("\(action.rawValue) operation: \(member) \"\(text)\" is no JSON pointer")
        }
        return pointer
    }

    private static func perform(
        _ operation: Operation,
        on object: inout JSON,
        copied: inout Int
    ) throws(PatchError) {
        let path = operation.path
        switch operation.action {
        case .add:
            guard !path.tokens.isEmpty else { throw missing(operation, path) }
            try edit(operation, &object) { $0.add(operation.value ?? .null, at: path) }
        // The server's library takes a member that is not there for one that holds nothing.
        case .replace: try edit(operation, &object) { $0.replace(operation.value ?? .null, at: path) }
        case .remove: try edit(operation, &object) { $0.remove(at: path) != nil }
        case .test:
            let found = object.value(at: path)
            guard found == nil ? operation.value == nil : found == operation.value ?? .null else {
                throw .unprocessable("testing value \(path.text) failed")
            }
        case .move:
            guard let from = operation.from, !from.isPrefix(of: path) else {
                throw .unprocessable("move operation: a value cannot move into itself: \(path.text)")
            }
            guard let value = object.remove(at: from) else { throw missing(operation, from) }
            try edit(operation, &object) { $0.add(value, at: path) }
        case .copy:
            guard let from = operation.from, let value = object.value(at: from) ?? object.emptyPlace(at: from) else {
                throw missing(operation, operation.from ?? path)
            }
            copied += value.bytes.count
            guard copied <= copyLimit else {
                throw .unprocessable("copy operations add more than \(copyLimit) bytes")
            }
            try edit(operation, &object) { $0.add(value, at: path) }
        }
    }

    private static func edit(
        _ operation: Operation,
        _ object: inout JSON,
        _ change: (inout JSON) -> Bool
    ) throws(PatchError) {
        guard change(&object) else { throw missing(operation, operation.path) }
    }

    private static func missing(_ operation: Operation, _ path: JSONPointer) -> PatchError {
        .unprocessable("\(operation.action.rawValue) operation does not apply: doc is missing path: \(path.text)")
    }
}
