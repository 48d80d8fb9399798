internal import Logging
internal import Synchronization
internal import SluiceCore

/// What a parcel consists of, and its file in the spool.
extension Delivery {
    /// The bytes to send; nil when the parcel is dropped, or gone.
    func prepare(_ parcel: inout QueuedEnvelope) -> [UInt8]? {
        switch parcel.content {
        case .bytes(let bytes): return bytes.isEmpty ? blank.bytes : bytes
        case .logs(let item): return blank.with(item).bytes
        case .file:
            do throws(SpoolError) {
                if let file = parcel.file, let bytes = try spool.read(file) { return bytes }
                // Another process has delivered it, or somebody cleaned up.
                drop(parcel, .cacheOverflow, "its file is gone")
            } catch {
                // It waits on: no descriptor is left, or the disk fails.
                notices.debug("\(parcel.id) cannot be read: \(error)")
                let kept = parcel
                state.withLock { state in
                    state.parked.append(kept)
                    state.failed(kept.id)
                }
            }
            return nil
        case .event(let event, let callbacks):
            let event = Symbols.resolve(event)
            switch CallbackThread.run(callbacks, on: event, wake: wake, meanwhile: letGo) {
            case .event(let event):
                // Without callbacks it was drawn at its capture.
                guard callbacks.isEmpty || settings.sampleRate >= 1 || Double.random(in: 0..<1) < settings.sampleRate else {
                    drop(parcel, .sampleRate, "sampled out")
                    return nil
                }
                let bytes = envelope(of: event)
                if parcel.file == nil { keep(&parcel, bytes) }
                parcel.content = .bytes(bytes)
                parcel.source = nil
                return bytes
            case .drop(let reason, let why):
                notices.say(
                    .warning, "a report was dropped: \(why)", if: reason != .eventProcessor || why.contains(text: "threw"))
                drop(parcel, reason, why)
                return nil
            }
        }
    }

    /// An envelope without items.
    var blank: ReportEnvelope {
        var envelope = ReportEnvelope()
        if settings.options.tunnel != nil { envelope.dsn = dsn.full }
        return envelope
    }

    /// The envelope of one event, within the protocol's limits.
    func envelope(of event: ReportEvent) -> [UInt8] {
        var event = event
        var payload = event.json()
        // A part of the event is worth more than none.
        if payload.count > Self.eventLimit { event.breadcrumbs = Array(event.breadcrumbs.suffix(10)); payload = event.json() }
        if payload.count > Self.eventLimit { event.contexts = [:]; payload = event.json() }
        if payload.count > Self.eventLimit { event.request = nil; event.breadcrumbs = []; payload = event.json() }
        var envelope = blank
        envelope.eventID = event.id
        envelope.trace =
            event.trace?.sampling(
                publicKey: dsn.publicKey, release: Field.release(event.release),
                environment: Field.environment(event.environment),
                organization: settings.organizationID) ?? []
        envelope.items = [.init(type: "event", payload: payload, contentType: "application/json")]
        return envelope.bytes
    }

    static let eventLimit = 950_000

    /// Writes a parcel into the spool. A disk that takes nothing costs durability, and one warning.
    func keep(_ parcel: inout QueuedEnvelope, _ bytes: [UInt8]) {
        let (size, evicted) = state.withLock { state in
            var evicted: [QueuedEnvelope] = []
            while state.spoolSize + bytes.count > Spool.sizeLimit, !state.parked.isEmpty {
                let oldest = state.parked.removeFirst()
                state.spoolSize -= oldest.size
                evicted.append(oldest)
            }
            return (state.spoolSize, evicted)
        }
        for var old in evicted {
            old.file.map(spool.remove)
            old.move(to: .dropped(.cacheOverflow))
            count(.cacheOverflow, old)
            work.subtract(1, ordering: .acquiringAndReleasing)
        }
        guard size + bytes.count <= Spool.sizeLimit else { return }
        do throws(SpoolError) {
            parcel.file = try spool.write(bytes, id: parcel.id, at: .now)
            parcel.size = bytes.count
            state.withLock { $0.spoolSize += bytes.count }
        } catch {
            warn(error)
        }
    }

    /// Said once: what is wrong with the disk stays so, as a rule.
    func warn(_ error: SpoolError) {
        notices.once(.warning, "\(error); a report that cannot be sent at once may be lost", key: "spool")
    }
}

extension ReportEnvelope {
    func with(_ item: Item) -> ReportEnvelope {
        var envelope = self
        envelope.items.append(item)
        return envelope
    }
}
