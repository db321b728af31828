// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

@main
struct Ballast {
    static func main() {}
}
