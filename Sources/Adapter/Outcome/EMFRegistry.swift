internal import SluiceCore
internal import Synchronization

/// All instruments of a process, and the lines that tell what they have measured.
final class EMFRegistry: Sendable {
    struct Key: Hashable {
        let kind: EMFInstrument.Kind
        let label: String
        let dimensions: [Dimension]

        /// - Parameter dimensions: As CloudWatch takes them: none twice, none without a value, thirty at most with ours.
        init(_ kind: EMFInstrument.Kind, _ label: String, _ dimensions: [(String, String)]) {
            self.kind = kind
            self.label = label
            var kept: [Dimension] = []
            for (name, value) in dimensions where !name.isEmpty && !value.isEmpty && name != EMF.functionName {
                guard kept.count < EMF.dimensionLimit - 1, !kept.contains(where: { $0.name == name }) else { continue }
                kept.append(Dimension(name: name, value: value))
            }
            self.dimensions = kept
        }
    }

    struct Dimension: Hashable {
        let name: String
        let value: String
    }

    private let on = Atomic(false)
    private let instruments = Mutex<[Key: EMFInstrument]>([:])

    /// Whether anybody writes what is measured; else nothing is kept.
    var isOn: Bool {
        get { on.load(ordering: .acquiring) }
        set { on.store(newValue, ordering: .releasing) }
    }

    func instrument(_ key: Key) -> EMFInstrument {
        instruments.withLock { instruments in
            if let known = instruments[key] { return known }
            let made = EMFInstrument(key) { [weak self] in self?.isOn == true }
            instruments[key] = made
            return made
        }
    }

    /// The program needs it no more.
    func remove(_ instrument: EMFInstrument) {
        instruments.withLock { if $0[instrument.key] === instrument { $0[instrument.key] = nil } }
    }

    // MARK: Lines

    /// One object of the log: metrics that have the same dimensions, each of them once.
    private struct Document {
        let dimensions: [Dimension]
        var metrics: [(name: String, measured: EMFInstrument.Measured)] = []

        func takes(_ name: String) -> Bool {
            metrics.count < EMF.limit && name != "_aws" && name != EMF.functionName && name != EMFRegistry.leftOut
                && !metrics.contains { $0.name == name } && !dimensions.contains { $0.name == name }
        }
    }

    private static let leftOut = "valuesLeftOut"

    /// What was measured since this was last called, one line each, with their line feeds.
    func takeLines(_ settings: OutcomeSettings.Metrics, at time: WallClock.Instant = .now) -> [[UInt8]] {
        let measured = instruments.withLock { Array($0.values) }
            .compactMap { instrument in instrument.take().map { (instrument.key, $0) } }
            .sorted { $0.0.label < $1.0.label }
        var documents: [[Dimension]: [Document]] = [:]
        for (key, measured) in measured {
            var rest = measured.values[...]
            while !rest.isEmpty {
                var part = measured
                part.values = Array(rest.prefix(EMF.limit))
                rest = rest.dropFirst(EMF.limit)
                if !rest.isEmpty { part.left = 0 }
                Self.place(key, part, in: &documents[key.dimensions, default: []])
            }
        }
        return documents.values.joined().map { Self.line($0, settings, time) }
    }

    private static func place(_ key: Key, _ measured: EMFInstrument.Measured, in documents: inout [Document]) {
        var name = key.label.isEmpty ? "unnamed" : key.label
        // A member has one meaning: a metric that is called as a dimension is called otherwise.
        while !Document(dimensions: key.dimensions).takes(name) { name += ".value" }
        if let place = documents.firstIndex(where: { $0.takes(name) }) {
            documents[place].metrics.append((name, measured))
        } else {
            documents.append(Document(dimensions: key.dimensions, metrics: [(name, measured)]))
        }
    }

    private static func line(_ document: Document, _ settings: OutcomeSettings.Metrics, _ time: WallClock.Instant) -> [UInt8] {
        var json = JSONWriter(reserving: 512)
        json.object { json in
            EMF.write(
                [
                    EMF.Directive(
                        dimensions: [[EMF.functionName] + document.dimensions.map(\.name)],
                        metrics: document.metrics.map { ($0.name, $0.measured.unit) })
                ], namespace: settings.namespace, time, to: &json)
            json.field(EMF.functionName, settings.functionName)
            for dimension in document.dimensions { json.field(dimension.name, dimension.value) }
            for (name, measured) in document.metrics {
                json.key(name)
                if measured.values.count == 1 {
                    json.number(measured.values[0])
                } else {
                    json.array { json in for value in measured.values { json.number(value) } }
                }
            }
            let left = document.metrics.reduce(0) { $0 + $1.measured.left }
            if left > 0 { json.field(leftOut, left) }
        }
        return json.bytes + [0x0A]
    }
}
