// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What Go's converter of free objects to typed ones says where its JSON decoder would say something else: server-side apply
/// and strategic merge patches go that way.
enum GoConversion {
    /// `problem` in the words of the converter; what it shares with the decoder stays as it is.
    static func problem(_ problem: String) -> String {
        if problem.hasPrefix("illegal base64 data") { return "error decoding from json: \(problem)" }
        guard problem.hasPrefix(lead), let into = problem.firstRange(of: " into Go "),
            let type = problem.firstRange(of: " of type ")
        else { return problem }
        let source = problem[problem.index(problem.startIndex, offsetBy: lead.count)..<into.lowerBound]
        let target = problem[type.upperBound...]
        let kind = kind(of: source)
        if target.hasPrefix("map[") { return "cannot restore map from \(kind.short)" }
        if target.hasPrefix("[]") { return "cannot restore slice from \(kind.short)" }
        let isStruct = target.contains(".") && (kind.short == "string" || kind.short == "slice")
        if isStruct { return "cannot restore struct from: \(kind.short)" }
        let isNumber = target.hasPrefix("int") || target.hasPrefix("uint") || target.hasPrefix("float")
        // Go converts numbers among each other, and whole ones to text: that alone can go wrong as a conversion.
        let isConvertible =
            kind.short == "int64" && (isNumber || target == "string") || kind.short == "float64" && isNumber
        guard !isConvertible else { return "cannot convert \(kind.full) to \(target)" }
        return "unrecognized type: \(target.contains(".") ? "string" : target)"
    }

    private static let lead = "json: cannot unmarshal "

    private static func kind(of source: Substring) -> (short: String, full: String) {
        switch source {
        case "array": return ("slice", "[]interface {}")
        case "object": return ("map", "map[string]interface {}")
        case "string", "bool": return (String(source), String(source))
        default:
            let isWhole = !source.contains(where: { ".eE".contains($0) }) || source == "number"
            let name = isWhole ? "int64" : "float64"
            return (name, name)
        }
    }
}
