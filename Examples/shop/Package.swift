// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let flyingFox = Target.Dependency.product(name: "FlyingFox", package: "FlyingFox")
let flyingSocks = Target.Dependency.product(name: "FlyingSocks", package: "FlyingFox")

func program(_ name: String) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["ShopKit", flyingFox],
        swiftSettings: strict,
        // Symbol tables would be a third of the image's own layer.
        linkerSettings: [.unsafeFlags(["-Xlinker", "-s"], .when(configuration: .release))]
    )
}

func tests(_ name: String, of target: String) -> Target {
    .testTarget(
        name: name,
        dependencies: [.byName(name: target), "ShopKit", "ShopTesting", flyingFox],
        swiftSettings: strict
    )
}

let package = Package(
    name: "shop",
    dependencies: [.package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1")],
    targets: [
        .target(name: "CEpoll"),
        .target(name: "ShopKit", dependencies: ["CEpoll", flyingFox, flyingSocks], swiftSettings: strict),
        program("web"),
        program("catalog"),
        program("cart"),
        program("shop-load"),
        .target(name: "ShopTesting", dependencies: ["ShopKit"], path: "Tests/ShopTesting", swiftSettings: strict),
        .testTarget(
            name: "ShopKitTests",
            dependencies: ["ShopKit", "ShopTesting", flyingFox, flyingSocks],
            swiftSettings: strict
        ),
        tests("WebTests", of: "web"),
        tests("CatalogTests", of: "catalog"),
        tests("CartTests", of: "cart"),
        tests("LoadTests", of: "shop-load"),
    ],
    swiftLanguageModes: [.v6]
)
