// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc
import Model
import Telemetry
import Testing

@testable import PodRuntime

@Suite("root file systems", .serialized, .enabled(if: geteuid() == 0, "only root may mount"))
struct RootfsTestsSerial {
    private let folder: ScratchFolder
    private let registry = MemoryRegistry()
    private let images: ImageLayers

    init() throws {
        folder = try ScratchFolder()
        images = try ImageLayers(folder: "\(folder.path)/images", registries: registry, telemetry: Telemetry("test"))
    }

    private func archive(_ fill: (inout TarText) -> Void) -> [UInt8] {
        var tar = TarText()
        fill(&tar)
        return tar.closed
    }

    @Test func layersLieOverOneAnotherAndChangesStayInTheContainer() async throws {
        registry.add(
            "1",
            [
                archive {
                    $0.add("etc/a", content: "lower")
                    $0.add("etc/gone", content: "lower")
                    $0.add("opaque/old", content: "lower")
                },
                archive {
                    $0.add("etc/a", content: "upper")
                    $0.add("etc/.wh.gone")
                    $0.add("opaque/.wh..wh..opq")
                    $0.add("opaque/new", content: "upper")
                },
            ]
        )
        let image = try await images.prepare("r.test/a:1", credentials: [], pullPolicy: .always)
        let place = "\(folder.path)/pods/c1"
        let root = try await images.mountRootfs(image, at: place)
        #expect(folder.text("pods/c1/rootfs/etc/a") == "upper")
        #expect(folder.status("pods/c1/rootfs/etc/gone") == nil)
        #expect(folder.names("pods/c1/rootfs/opaque") == ["new"])
        try FileText.replace("\(root)/etc/a", with: Array("changed".utf8))
        #expect(folder.text("images/layers/\(image.layers[1].hex)/etc/a") == "upper")
        // A second mount at the same place starts afresh.
        _ = try await images.mountRootfs(image, at: place)
        #expect(folder.text("pods/c1/rootfs/etc/a") == "upper")
        try await images.unmountRootfs(at: place)
        try await images.unmountRootfs(at: place)
        #expect(folder.names("pods").isEmpty)
    }

    @Test func aStrictMaskOfTheProcessDoesNotShutContainersOut() async throws {
        let bytes = archive { $0.add("implied/file", content: "x") }
        let path = "\(folder.path)/masked"
        try await OwnThread.run {
            // This thread's mask alone, or other tests would meet it.
            guard ballast_unshare_fs() == 0 else { throw LayerError.system("cannot have a mask of its own") }
            umask(0o077)
            try Folder.make(path)
            var tree = try LayerTree(path)
            var reader = TarReader()
            try reader.feed(bytes.span, to: &tree)
            try tree.finish()
        }
        #expect(folder.status("masked")?.permissions == 0o755)
        #expect(folder.status("masked/implied")?.permissions == 0o755)
        #expect(folder.status("masked/implied/file")?.permissions == 0o644)
    }

    @Test func aLayerMayOccurTwice() async throws {
        let twice = archive { $0.add("f", content: "twice") }
        let between = archive {
            $0.add(".wh.f")
            $0.add("g", content: "between")
        }
        registry.add("twice", [twice, between, twice])
        let image = try await images.prepare("r.test/a:twice", credentials: [], pullPolicy: .always)
        #expect(image.layers.count == 3)
        _ = try await images.mountRootfs(image, at: "\(folder.path)/c")
        #expect(folder.text("c/rootfs/f") == "twice" && folder.text("c/rootfs/g") == "between")
        try await images.unmountRootfs(at: "\(folder.path)/c")
    }

    @Test func twoHundredLayersMount() async throws {
        registry.add("many", (0..<200).map { number in archive { $0.add("f\(number)", content: "\(number)") } })
        let image = try await images.prepare("r.test/a:many", credentials: [], pullPolicy: .always)
        _ = try await images.mountRootfs(image, at: "\(folder.path)/c")
        #expect(folder.text("c/rootfs/f0") == "0" && folder.text("c/rootfs/f199") == "199")
        try await images.unmountRootfs(at: "\(folder.path)/c")
    }

    @Test func anImageWithoutLayersIsAnEmptyRoot() async throws {
        registry.add("none", [])
        let image = try await images.prepare("r.test/a:none", credentials: [], pullPolicy: .always)
        _ = try await images.mountRootfs(image, at: "\(folder.path)/c")
        #expect(folder.names("c/rootfs").isEmpty)
        try await images.unmountRootfs(at: "\(folder.path)/c")
    }

    @Test func filesAreReadInsideOfTheRootAlone() async throws {
        registry.add(
            "1",
            [
                archive {
                    $0.add("etc/passwd", content: "inside")
                    $0.add("link", type: "2", target: "/etc/passwd")
                    $0.add("up", type: "2", target: "../../../../../../etc/passwd")
                    $0.add("fifo", type: "6")
                }
            ]
        )
        let image = try await images.prepare("r.test/a:1", credentials: [], pullPolicy: .always)
        let root = try await images.mountRootfs(image, at: "\(folder.path)/c")
        for name in ["etc/passwd", "/etc/passwd", "link", "up", "../etc/passwd"] {
            #expect(ImageLayers.readFile(name, inRootfs: root) == Array("inside".utf8), "\(name)")
        }
        #expect(ImageLayers.readFile("fifo", inRootfs: root) == nil)
        #expect(ImageLayers.readFile("etc", inRootfs: root) == nil)
        #expect(ImageLayers.readFile("etc/passwd", inRootfs: root, limit: 3) == nil)
        try await images.unmountRootfs(at: "\(folder.path)/c")
    }
}
