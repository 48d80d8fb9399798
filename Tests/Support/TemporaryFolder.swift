import Foundation

/// A folder of a test's own. It goes with the last one who holds it, and what it holds goes too.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() {
        path = NSTemporaryDirectory() + "sluice-test-" + UUID().uuidString
        // Where it cannot be made, the test that uses it fails.
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        // Left behind in the temporary folder, it harms nobody.
        try? FileManager.default.removeItem(atPath: path)
    }
}
