extension Dictionary where Key == String {
    /// The pairs by their keys. The keys alone are sorted: a sort of pairs would be compiled anew for each kind of value.
    package var inOrder: [(key: String, value: Value)] {
        keys.sorted().compactMap { key in self[key].map { (key, $0) } }
    }
}
