// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Testing

@testable import ImageStore

@Suite("hostile ELF files")
struct HostileELFTests {
    /// A real library, small and with every table the reader looks at.
    private static let sample: [UInt8] = {
        guard let scratch = try? Scratch(),
            (try? scratch.write("a.c", "int a(void) { return 0; }")) != nil,
            (try? scratch.write("a.map", "A_1.0 { global: a; }; A_2.0 { } A_1.0;")) != nil,
            (try? succeed(
                "cc",
                [
                    "-shared", "-fPIC", "a.c", "-o", "a.so", "-Wl,-soname,liba.so.1,--version-script,a.map",
                    "-Wl,-rpath,$ORIGIN", "-Wl,--no-as-needed", "-lc",
                ],
                in: scratch.path
            )) != nil
        else { return [] }
        return (try? Folder.contents(of: "\(scratch.path)/a.so")) ?? []
    }()

    @Test("the sample is read as its linker wrote it")
    func sampleIsSound() throws {
        let object = try ELFObject(parsing: Self.sample)
        #expect(object.soname == "liba.so.1")
        #expect(object.needed == ["libc.so.6"])
        #expect(object.runpath == "$ORIGIN" || object.rpath == "$ORIGIN")
        #expect(object.definedVersions == ["liba.so.1", "A_1.0", "A_2.0"])
        #expect(object.interpreter == nil)
    }

    @Test("a file cut anywhere is read or refused, never read out of bounds")
    func truncations() {
        for length in stride(from: 0, to: Self.sample.count, by: 31) {
            _ = try? ELFObject(parsing: Array(Self.sample.prefix(length)))
        }
        #expect(throws: ELFError(.notELF, at: 0)) { try ELFObject(parsing: [UInt8]()) }
        #expect(throws: ELFError(.truncated, at: 20)) { try ELFObject(parsing: Array(Self.sample.prefix(20))) }
    }

    @Test("a table that points anywhere is read or refused", arguments: [0x00, 0x7F, 0x80, 0xFF] as [UInt8])
    func corruptions(_ value: UInt8) throws {
        let tables = Self.sample.count < 64 ? 0 : 64 + 56 * Int(Self.sample[56])
        for place in 4..<tables {
            var bytes = Self.sample
            bytes[place] = value
            _ = try? ELFObject(parsing: bytes)
        }
        let text = Array("libc.so.6".utf8)
        let strings = try #require(Self.sample.indices.first { Self.sample[$0...].starts(with: text) })
        #expect(throws: ELFError.self) { try ELFObject(parsing: Array(Self.sample.prefix(strings + 4))) }
    }

    @Test("eight bytes of ones at any place of the dynamic section are read or refused")
    func hugeNumbers() throws {
        for place in stride(from: 0, to: Self.sample.count - 8, by: 8) {
            var bytes = Self.sample
            bytes.replaceSubrange(place..<place + 8, with: repeatElement(0xFF, count: 8))
            _ = try? ELFObject(parsing: bytes)
        }
    }

    @Test("a damaged ld.so.cache loses entries, never more")
    func damagedCache() throws {
        let bytes = try Folder.contents(of: "/etc/ld.so.cache")
        #expect(!LoaderCache(parsing: bytes).paths(of: "libc.so.6").isEmpty)
        for length in stride(from: 0, to: bytes.count, by: 997) {
            _ = LoaderCache(parsing: Array(bytes.prefix(length)))
        }
        for place in stride(from: 0, to: 4096, by: 37) {
            var damaged = bytes
            damaged[place] = 0xFF
            _ = LoaderCache(parsing: damaged)
        }
    }
}
