/// Names that nobody can guess, without letters that look like each other.
enum RandomText {
    private static let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789")

    /// Five bits of the system's generator for each character.
    static func make(_ count: Int) -> String {
        String((0..<count).map { _ in alphabet[Int.random(in: alphabet.indices)] })
    }
}
