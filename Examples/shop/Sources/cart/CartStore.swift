// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Dispatch
import FlyingFox
import ShopKit
import Synchronization

/// The cart, for requests: one change at a time, on a thread that may wait for the disk.
final class CartStore: Sendable {
    struct State: Sendable, Equatable {
        var cart: Cart
        var size: Int
        var damagedLines: Int
    }

    static let quantityLimit = 1000
    static let productLimit = 200

    private let log: Mutex<CartLog>
    private let queue = DispatchQueue(label: "cart")

    init(folder: String, rewriteAbove: Int = 1000) throws {
        log = Mutex(try CartLog.opened(in: folder, rewriteAbove: rewriteAbove))
    }

    func current() async throws -> State {
        try await onQueue { log in
            try log.refresh()
        }
    }

    func add(_ product: String, _ quantity: Int) async throws -> State {
        guard Self.isProductID(product) else {
            throw HTTPProblem(.badRequest, "product: '\(product.prefix(80))' is not an id of letters, digits and '-'")
        }
        guard (1...Self.quantityLimit).contains(quantity) else {
            throw HTTPProblem(.badRequest, "quantity: \(quantity) is not from 1 to \(Self.quantityLimit)")
        }
        return try await onQueue { log in
            try log.change { items in
                let present = items.first { $0.product == product }?.quantity ?? 0
                guard present + quantity <= Self.quantityLimit, present > 0 || items.count < Self.productLimit else {
                    throw HTTPProblem(.conflict, "the cart is full")
                }
                return CartLog.Record(op: .add, product: product, quantity: quantity)
            }
        }
    }

    func remove(_ product: String) async throws -> State {
        try await onQueue { log in
            try log.change { items in
                guard items.contains(where: { $0.product == product }) else {
                    throw HTTPProblem(.notFound, "there is no '\(product)' in the cart")
                }
                return CartLog.Record(op: .remove, product: product)
            }
        }
    }

    func clear() async throws -> State {
        try await onQueue { log in
            try log.change { _ in CartLog.Record(op: .clear) }
        }
    }

    /// What is known without looking at the disk.
    var known: State { log.withLock { Self.state(of: $0) } }

    private func onQueue(_ work: @escaping @Sendable (inout CartLog) throws -> Void) async throws -> State {
        try await withCheckedThrowingContinuation { continuation in
            queue.async {
                continuation.resume(
                    with: Result {
                        try self.log.withLock { log in
                            try work(&log)
                            return Self.state(of: log)
                        }
                    }
                )
            }
        }
    }

    private static func state(of log: borrowing CartLog) -> State {
        State(cart: Cart(items: log.items), size: log.size, damagedLines: log.damagedLines)
    }

    private static func isProductID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }
}
