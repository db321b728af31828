// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What libFuzzer calls with each input; it brings `main` itself, so this target has none.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    // libFuzzer owns `count` readable bytes at `start` until this returns; they are copied at once.
    unsafe chosen.run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
