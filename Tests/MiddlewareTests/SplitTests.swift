#if os(Linux)
import Foundation
import Testing

@testable import SluiceCore

/// `text.split(separator: "; ")` is ours in a program that links Sluice.
@Suite struct SplitTests {
    static let texts = ["", ";", "; ", "a", "a; b", "; a; ", "a; ; b", "a;b; c", ";; ;; ", "e\u{301}; e", "ab; ab; "]

    @Test("a text is split as Foundation does", arguments: texts)
    func everyPart(_ text: String) {
        for separator in ["; ", ";", "ab", "x"] {
            let expected = text.components(separatedBy: separator)
            let full = text.splitAsLinked(separator: separator, maxSplits: .max, omittingEmptySubsequences: false)
            #expect(full.map(String.init) == expected)
            let short = text.splitAsLinked(separator: separator, maxSplits: .max, omittingEmptySubsequences: true)
            #expect(short.map(String.init) == expected.filter { !$0.isEmpty })
            #expect(text.split(separator: separator, omittingEmptySubsequences: false).map(String.init) == expected)
        }
    }

    @Test("no more parts than asked for, and those that are left out do not count")
    func limits() {
        func parts(_ text: String, _ separator: String, _ limit: Int, _ omitting: Bool) -> [String] {
            text.splitAsLinked(separator: separator, maxSplits: limit, omittingEmptySubsequences: omitting).map(String.init)
        }
        #expect(parts("a, b, c", ", ", 1, true) == ["a", "b, c"])
        #expect(parts("a, b, c", ", ", 0, true) == ["a, b, c"])
        #expect(parts(", , a, b, c", ", ", 1, true) == ["a", "b, c"])
        #expect(parts(", a", ", ", 1, false) == ["", "a"])
        #expect(parts("a, ", ", ", 1, true) == ["a"])
        #expect(parts("abc", "", .max, true) == ["a", "b", "c"])
        #expect(parts("", "", .max, false) == [""])
        #expect([1, 2, 1, 2, 3].splitAsLinked(separator: [1, 2], maxSplits: .max, omittingEmptySubsequences: true) == [[3]])
        #expect([2, 2, 2].splitAsLinked(separator: [2, 2], maxSplits: .max, omittingEmptySubsequences: true) == [[2]])
    }
}
#endif
