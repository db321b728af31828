// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Text in aligned columns, as kubectl prints it.
struct TextTable {
    let text: String

    init(_ header: [String], _ rows: [[String]]) {
        // A cell with a line break would break the table.
        let rows = rows.map { $0.map { $0.split(separator: "\n").joined(separator: " ") } }
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        text = all.map { row in
            row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 3)
            }.joined()
        }.joined(separator: "\n")
    }
}
