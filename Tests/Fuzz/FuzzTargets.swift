// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import FoundationEssentials
import Model

/// A parser to feed with anything. It must not trap, and what it accepts must survive being printed and read again.
///
/// A target is named like its folder of seeds in `Tests/Corpus/Fuzz`; `scripts/fuzz` runs one after the other.
struct FuzzTarget: Sendable {
    let name: String
    let run: @Sendable ([UInt8]) -> Void

    static let all = [
        FuzzTarget(name: "json") { bytes in
            guard let value = try? JSON(parsing: bytes) else { return }
            expectSame(try? JSON(parsing: value.bytes), value, "compact text")
            expectSame(try? JSON(parsing: value.prettyText), value, "pretty text")
        },
        .text("quantity") { text in
            guard let quantity = Quantity(text) else { return }
            expectSame(Quantity(quantity.description), quantity, quantity.description)
        },
        .text("timestamp") { text in
            guard let timestamp = Timestamp(text) else { return }
            expectSame(Timestamp(timestamp.nanoText), timestamp, timestamp.nanoText)
        },
        .text("image-reference") { text in
            guard let reference = ImageReference(text) else { return }
            expectSame(ImageReference(reference.description), reference, reference.description)
        },
        .text("app-file") { text in
            let (app, complaints) = AppFile.parse(text, file: "ballast.yaml")
            precondition(app != nil || !complaints.isEmpty, "a file that is refused says why")
            let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).count
            for complaint in complaints {
                precondition((0...lines + 1).contains(complaint.line), "\(complaint) is past line \(lines)")
            }
        },
        FuzzTarget(name: "tar", run: readArchive),
        FuzzTarget(name: "kube-body", run: readKubernetesBody),
        .text("expression", readExpression),
    ]

    private static func text(_ name: String, _ run: @escaping @Sendable (String) -> Void) -> FuzzTarget {
        FuzzTarget(name: name) { run(String(decoding: $0, as: UTF8.self)) }
    }
}

/// The target that `BALLAST_FUZZ_TARGET` names.
let chosen: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["BALLAST_FUZZ_TARGET"] ?? ""
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
        fatalError("BALLAST_FUZZ_TARGET is '\(name)'; the targets are \(FuzzTarget.all.map(\.name))")
    }
    return target
}()

func expectSame<Value: Equatable>(_ again: Value?, _ value: Value, _ what: String) {
    precondition(again == value, "\(what) reads back as \(String(describing: again)), not as \(value)")
}
