// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

// Where a module is compiled whole, `stat` is CoreFoundation's.
import CoreFoundation
import Foundation
import Glibc
import Model
import Releases

/// Finds the reports that tests wrote, by patterns such as `build/**/*.xml`: `*` and `?` stay within a name, `**` stands for any
/// number of folders. Links to folders are not followed.
struct ReportFolder {
    let path: String

    private static let fileLimit = 64 << 20
    private static let folderLimit = 20_000

    func files(matching patterns: [String]) -> [ReportFile] {
        var found: [String: ReportFile] = [:]
        for pattern in patterns {
            let parts = pattern.split(separator: "/").map(String.init).filter { $0 != "." }
            var visits = 0
            walk("", parts[...], &found, &visits)
        }
        return found.values.sorted { $0.name < $1.name }
    }

    static func contents(of report: ReportFile) throws -> [UInt8] {
        let size = (try? FileManager.default.attributesOfItem(atPath: report.path)[.size] as? Int) ?? 0
        guard size <= fileLimit else {
            throw Failure(.invalidInput, "the report '\(report.name)' is larger than \(fileLimit >> 20) MiB")
        }
        guard let data = FileManager.default.contents(atPath: report.path) else {
            throw Failure(.invalidInput, "the report '\(report.name)' cannot be read")
        }
        return Array(data)
    }

    private func walk(
        _ folder: String,
        _ parts: ArraySlice<String>,
        _ found: inout [String: ReportFile],
        _ visits: inout Int
    ) {
        guard let part = parts.first, visits < Self.folderLimit else { return }
        let rest = parts.dropFirst()
        if part == "**" { walk(folder, rest, &found, &visits) }
        visits += 1
        let isFixed = part != "**" && !part.contains("*") && !part.contains("?")
        let here = folder.isEmpty ? path : "\(path)/\(folder)"
        let names = isFixed ? [part] : (try? FileManager.default.contentsOfDirectory(atPath: here))?.sorted() ?? []
        for name in names {
            let child = folder.isEmpty ? name : "\(folder)/\(name)"
            var status = stat()
            guard unsafe lstat("\(path)/\(child)", &status) == 0 else { continue }
            let kind = status.st_mode & S_IFMT
            if part == "**" {
                // What a build tool hides is no report.
                if kind == S_IFDIR, !name.hasPrefix(".") { walk(child, parts, &found, &visits) }
            } else if isFixed || Self.fits(Array(name), Array(part)) {
                if kind == S_IFDIR { walk(child, rest, &found, &visits) }
                if kind == S_IFREG, rest.isEmpty { found[child] = report(child, status) }
            }
        }
        // `**` at the end stands for all files below.
        guard part == "**", rest.isEmpty else { return }
        walk(folder, ["*"], &found, &visits)
    }

    private func report(_ name: String, _ status: stat) -> ReportFile {
        let time =
            "\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
        return ReportFile(name: name, path: "\(path)/\(name)", stamp: "\(time) \(status.st_ino) \(status.st_size)")
    }

    private static func fits(_ name: [Character], _ pattern: [Character]) -> Bool {
        var (place, mark) = (0, 0)
        var star: Int?
        var position = 0
        while place < name.count {
            if position < pattern.count, pattern[position] == "?" || pattern[position] == name[place],
                pattern[position] != "*"
            {
                place += 1
                position += 1
            } else if position < pattern.count, pattern[position] == "*" {
                star = position
                mark = place
                position += 1
            } else if let last = star {
                position = last + 1
                mark += 1
                place = mark
            } else {
                return false
            }
        }
        return pattern[position...].allSatisfy { $0 == "*" }
    }
}
