// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

@testable import KubeServer

/// Reads a body in `application/vnd.kubernetes.protobuf` as the server does: envelope, message, then the object's types.
/// What the server would store must read back as the same.
func readKubernetesBody(_ bytes: [UInt8]) {
    guard let envelope = try? WireEnvelope(bytes) else { return }
    let head: JSON = ["kind": .string(envelope.kind), "apiVersion": .string(envelope.apiVersion)]
    guard let schema = SchemaTable.builtIn.schema(of: head),
        let read = try? WireDecoder.decode(bytes, in: envelope.object, as: schema),
        let object = try? ObjectDecoder.decode(read, as: schema).object
    else { return }
    expectSame(try? ObjectDecoder.decode(object, as: schema).object, object, "the decoded object")
    expectSame(try? JSON(parsing: object.bytes), object, "the stored object")
}
