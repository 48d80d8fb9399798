internal import FoundationEssentials

enum TextFile {
    /// - Throws: Where it cannot be read.
    static func read(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }
}
