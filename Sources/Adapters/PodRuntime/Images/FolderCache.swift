// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc

/// The folder of the last member, kept open: archives list a folder's files one after the other.
struct FolderCache {
    private var path: [String] = []
    private var descriptor: CInt = -1

    func folder(_ wanted: [String]) -> CInt? { descriptor >= 0 && wanted == path ? descriptor : nil }

    mutating func keep(_ folder: CInt, as path: [String]) {
        drop()
        descriptor = folder
        self.path = path
    }

    mutating func drop() {
        close()
        descriptor = -1
    }

    /// For the owner's end; nothing may be asked afterwards.
    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
    }
}
