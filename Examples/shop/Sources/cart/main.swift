// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ShopKit

Program.main("cart", dataFolder: "/data") { service in
    let store = try CartStore(folder: service.configuration.dataFolder)
    let cart = CartRoutes(store: store)
    cart.register(in: service.metrics)
    if store.known.damagedLines > 0 {
        service.log.warn("the log has damaged lines", ["count": JSONText(store.known.damagedLines)])
    }
    try await service.run(cart.routes, whyNotReady: { await cart.whyNotReady() })
}
