/// A demangled name as a person would write it: `closure #2 in Shop.routes()`, `Orders.find(id:)`.
enum FunctionName {
    static func short(_ name: String) -> String { shorten(name[...], depth: 0) }

    private static func shorten(_ name: Substring, depth: Int) -> String {
        guard depth < 8 else { return String(name) }
        for marker in [" partial function for ", "> of "] {
            // `(2) await resume partial function for f()`, `generic specialization <Int> of f()`.
            let isPrefixed = name.hasPrefix("(") || String(name).contains(text: "specialization <") && marker == "> of "
            if isPrefixed, let end = first(marker, in: name) { return shorten(name[end...], depth: depth + 1) }
        }
        if name.hasPrefix("closure #") || name.hasPrefix("implicit closure #") || name.hasPrefix("@objc ") {
            let head = name.split(separator: " ").prefix(name.hasPrefix("closure") ? 2 : 3).joined(separator: " ")
            guard let inside = topLevel(" in ", in: name) else { return head }
            return head + " in " + shorten(name[inside...], depth: depth + 1)
        }
        let plain = withoutDiscriminators(name)
        let isStatic = plain.hasPrefix("static ")
        var rest = isStatic ? plain.dropFirst(7) : plain[...]
        if rest.hasPrefix("(extension in "), let end = first("):", in: rest) { rest = rest[end...] }
        guard let open = rest.firstIndex(where: { $0 == "(" || $0 == "<" }) else { return String(plain) }
        guard open != rest.startIndex else { return String(name) }
        var path = rest[..<open].split(separator: ".", omittingEmptySubsequences: false)
        if path.count > 1 { path.removeFirst() }  // the module is a field of its own
        let labels = arguments(rest).map { "(\($0))" } ?? ""
        return (isStatic ? "static " : "") + path.joined(separator: ".") + labels
    }

    /// The labels of the argument list, as in `_:to:`; nil where there is none.
    private static func arguments(_ text: Substring) -> String? {
        var depth = 0
        var angle = 0
        var labels = ""
        var current = ""
        var previous: Character = " "
        for character in text.drop(while: { $0 != "(" && $0 != "<" }) {
            defer { previous = character }
            switch character {
            case "<": angle += 1
            case ">" where previous != "-": angle -= 1
            case "(" where angle == 0:
                depth += 1
                if depth > 1 { current.append(character) }
            case ")" where angle == 0:
                depth -= 1
                if depth == 0 { return labels + label(current) }
                current.append(character)
            case "," where angle == 0 && depth == 1:
                labels += label(current)
                current = ""
            default: if depth > 0 { current.append(character) }
            }
        }
        return nil
    }

    private static func label(_ argument: String) -> String {
        let text = argument.trimmed
        guard !text.isEmpty else { return "" }
        let name = text.prefix { $0 != ":" }
        let isLabel = name.endIndex != text.endIndex && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
        return isLabel ? "\(name):" : "_:"
    }

    /// `Worker.(serve in _77CD…)(…)` is `Worker.serve(…)`.
    private static func withoutDiscriminators(_ name: Substring) -> String {
        var result = ""
        var rest = name
        while let middle = first(" in _", in: rest) {
            let before = rest[..<middle].dropLast(5)
            guard let open = before.lastIndex(of: "("), let close = rest[middle...].firstIndex(of: ")") else { break }
            result += rest[..<open] + before[before.index(after: open)...]
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }

    /// Behind the first occurrence.
    private static func first(_ marker: String, in text: Substring) -> Substring.Index? {
        let range = String(text).place(of: marker)
        guard let range else { return nil }
        return text.index(text.startIndex, offsetBy: String(text).distance(from: String(text).startIndex, to: range.upperBound))
    }

    /// Behind the first occurrence outside of all brackets.
    private static func topLevel(_ marker: String, in text: Substring) -> Substring.Index? {
        var depth = 0
        var previous: Character = " "
        var index = text.startIndex
        while index < text.endIndex {
            let character = text[index]
            switch character {
            case "(", "<", "[": depth += 1
            case ")", "]": depth -= 1
            case ">" where previous != "-": depth -= 1
            default: if depth == 0, text[index...].hasPrefix(marker) { return text.index(index, offsetBy: marker.count) }
            }
            previous = character
            text.formIndex(after: &index)
        }
        return nil
    }
}
