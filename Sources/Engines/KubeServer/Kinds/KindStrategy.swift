// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a kind asks of the server beyond what all kinds share.
///
/// A write goes: decode and prune → `setDefaults` → `prepareForCreate` or `prepareForUpdate` → `validate` (and
/// `validateUpdate`) → store. Objects come without `apiVersion` and `kind`. None of these may trap on odd JSON.
protocol KindStrategy: Sendable {
    var traits: KindTraits { get }

    /// Fills in what the client left out; called on every write, so it must not change an object it has seen before.
    func setDefaults(_ object: inout JSON)
    /// Clears what clients may not set and sets what the server owns.
    func prepareForCreate(_ object: inout JSON, _ context: WriteContext)
    /// Fills in what nobody checks, once a new object is found good.
    func complete(_ object: inout JSON)
    func prepareForUpdate(_ object: inout JSON, from old: JSON, _ context: WriteContext)
    /// Objections to a new object's name that take the rest of it.
    func validateName(_ object: JSON, _ errors: inout FieldErrors)
    /// Objections to the object as such, on create and update.
    func validate(_ object: JSON, _ errors: inout FieldErrors)
    /// Objections to a new object alone.
    func validateCreate(_ object: JSON, _ errors: inout FieldErrors)
    /// Objections to this change.
    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors)
    func prepareForStatusUpdate(_ object: inout JSON, from old: JSON, _ context: WriteContext)
    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors)
    /// What is refused on this node although the API knows it; `nil` for nothing.
    func refusal(_ object: JSON, from old: JSON?) -> String?
    /// Texts of `Warning` headers.
    func warnings(_ object: JSON, from old: JSON?) -> [String]
}

/// The fixed answers a kind gives.
struct KindTraits: Sendable {
    /// Why a name is none; by default a DNS subdomain.
    var nameProblems: @Sendable (String) -> [String] = NameRules.dnsSubdomainProblems
    /// The members that count for `metadata.generation`; empty: the kind has no generation.
    var generationFields: [String] = []
    /// Every member but metadata and status counts.
    var generationCountsAll = false
    /// Writes to the object leave `status` alone; only the subresource changes it.
    var hasStatus = false
    /// What a write of the status leaves alone in the metadata.
    enum MetadataResets: Sendable { case all, members([String]) }
    var statusResets = MetadataResets.members([])
    /// The kind's rules for a change look at the whole object once more, its metadata too.
    var checksMetadataAgain = false
    /// On a change `validateUpdate` alone is asked: what stays as it was is not looked at again.
    var validatesChangesAlone = false
    /// Labels count for `metadata.generation`, too.
    var generationCountsLabels = false
    /// Annotations count for `metadata.generation`, too.
    var generationCountsAnnotations = false
    /// A PUT creates what is not there.
    var allowsCreateOnUpdate = false
    /// A PUT may go without a resource version.
    var allowsUnconditionalUpdate = true
    /// A delete answers with the object rather than with a Status.
    var returnsDeleted = false
    /// Deleting without a policy leaves dependents alone.
    var orphansByDefault = false

    var hasGeneration: Bool { generationCountsAll || !generationFields.isEmpty }
}

extension KindStrategy {
    func setDefaults(_ object: inout JSON) {}
    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) {}
    func complete(_ object: inout JSON) {}
    func prepareForUpdate(_ object: inout JSON, from old: JSON, _ context: WriteContext) {}
    func validateName(_ object: JSON, _ errors: inout FieldErrors) {}
    func validate(_ object: JSON, _ errors: inout FieldErrors) {}
    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) {}
    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {}
    func prepareForStatusUpdate(_ object: inout JSON, from old: JSON, _ context: WriteContext) {}
    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {}
    func refusal(_ object: JSON, from old: JSON?) -> String? { nil }
    func warnings(_ object: JSON, from old: JSON?) -> [String] { [] }
}

/// What a strategy may know about the request.
struct WriteContext: Sendable {
    var now: Timestamp
    var isDryRun = false
    var uid: String = ""
}

/// A kind without rules of its own.
struct PlainStrategy: KindStrategy {
    var traits = KindTraits()
}
