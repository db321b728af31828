// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ShopKit

Program.main("web") { service in
    let configuration = service.configuration
    let timeout = try configuration.duration("UPSTREAM_TIMEOUT", default: "2s")
    let catalog = try configuration.serviceURL("CATALOG_URL", default: "http://catalog:8080")
    let cart = try configuration.serviceURL("CART_URL", default: "http://cart:8080")
    let upstreams = Upstreams(
        catalog: UpstreamClient(url: catalog, timeout: timeout),
        cart: UpstreamClient(url: cart, timeout: timeout),
        log: service.log,
        metrics: service.metrics
    )
    try await service.run(WebRoutes(version: configuration.version, upstreams: upstreams).routes)
}
