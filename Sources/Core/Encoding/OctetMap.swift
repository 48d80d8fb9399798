/// Numbers by texts that are the same when their octets are. Made of arrays: a dictionary's type, made at start-up, searches the whole
/// program for `Key: Hashable`, which takes longer than all its look-ups; and not generic, for making its type would.
///
/// Not for keys that a stranger chooses and that stay: nothing is random in its places.
package struct OctetMap: Sendable {
    private var keys: [String] = []
    private var values: [Int] = []
    /// For each place an index of both, and one more; 0 where nothing is. At most half of them are taken.
    private var places: [Int] = []

    package init() {}

    /// The number of the text with these octets. What is set stays: nil is not taken out.
    package subscript(_ key: String) -> Int? {
        get {
            guard !places.isEmpty else { return nil }
            let index = places[place(of: key)]
            return index == 0 ? nil : values[index - 1]
        }
        set {
            guard let newValue else { return }
            if places.count < 2 * (keys.count + 1) { grow() }
            let place = place(of: key)
            if places[place] > 0 {
                values[places[place] - 1] = newValue
            } else {
                keys.append(key)
                values.append(newValue)
                places[place] = keys.count
            }
        }
    }

    /// In the order in which they came.
    package func forEach(_ body: (String, Int) -> Void) {
        for index in keys.indices { body(keys[index], values[index]) }
    }

    /// Where the key is, or would be.
    private func place(of key: String) -> Int {
        var place = Self.hash(key) & (places.count - 1)
        while places[place] > 0, !keys[places[place] - 1].isSame(as: key) { place = (place + 1) & (places.count - 1) }
        return place
    }

    private mutating func grow() {
        places = Array(repeating: 0, count: max(8, places.count * 2))
        for index in keys.indices { places[place(of: keys[index])] = index + 1 }
    }

    /// FNV-1a.
    private static func hash(_ key: String) -> Int {
        var key = key
        return key.withUTF8 { octets in
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for octet in octets { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01b3 }
            return Int(truncatingIfNeeded: hash ^ hash >> 32)
        }
    }
}

extension OctetMap: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral pairs: (String, Int)...) {
        for pair in pairs { self[pair.0] = pair.1 }
    }
}

/// The variables of a process.
package struct Environment: Sendable {
    private var places = OctetMap()
    private var values: [String] = []

    package init() {}

    package init(_ variables: some Sequence<(key: String, value: String)>) {
        for variable in variables { self[variable.key] = variable.value }
    }

    /// What the variable with these octets says. What is set stays: nil is not taken out.
    package subscript(_ name: String) -> String? {
        get { places[name].map { values[$0] } }
        set {
            guard let newValue else { return }
            if let place = places[name] {
                values[place] = newValue
            } else {
                places[name] = values.count
                values.append(newValue)
            }
        }
    }

    /// In the order in which they came.
    package func forEach(_ body: (String, String) -> Void) {
        places.forEach { body($0, values[$1]) }
    }
}

extension Environment: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral pairs: (String, String)...) {
        for pair in pairs { self[pair.0] = pair.1 }
    }
}
