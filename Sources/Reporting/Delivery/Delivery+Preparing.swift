internal import Logging
internal import Synchronization
internal import SluiceCore

/// What a request consists of, and its file in the spool.
extension Delivery {
    /// The bytes to send; nil when the request is dropped, or gone.
    func prepare(_ request: inout QueuedRequest, _ wake: WakeUp) -> [UInt8]? {
        switch request.content {
        case .bytes(let bytes): return bytes
        case .logs(let entries): return extended?.body(ofLogs: entries)
        case .file: return read(request)
        case .event(let event, let callbacks):
            let event = event.symbolicated
            switch CallbackThread.run(callbacks, on: event, wake: wake, meanwhile: letGo) {
            case .event(let event):
                // Without callbacks it was drawn at its capture.
                guard callbacks.isEmpty || callbacks.sampleRate >= 1 || Double.random(in: 0..<1) < callbacks.sampleRate
                else {
                    drop(request, .sampleRate, "sampled out")
                    return nil
                }
                let bytes = format.body(of: event)
                if request.file == nil { keep(&request, bytes) }
                request.content = .bytes(bytes)
                request.source = nil
                return bytes
            case .drop(let reason, let why):
                diagnostics.say(.warning, "a report was dropped: \(why)")
                drop(request, reason, why)
                return nil
            case .leaveOut(let reason):
                drop(request, reason, "the app leaves it out")
                return nil
            }
        }
    }

    private func read(_ request: QueuedRequest) -> [UInt8]? {
        do throws(SpoolError) {
            if let file = request.file, let bytes = try spool.read(file) { return bytes }
            // Another process has delivered it, or somebody cleaned up.
            drop(request, .cacheOverflow, "its file is gone")
        } catch {
            // It waits on: no descriptor is left, or the disk fails.
            diagnostics.debug("\(request.id) cannot be read: \(error)")
            state.withLock { state in
                state.parked.append(request)
                state.failed(request.id)
            }
        }
        return nil
    }

    /// Writes a request into the spool. A disk that takes nothing costs durability, and one warning.
    func keep(_ request: inout QueuedRequest, _ bytes: [UInt8]) {
        let (size, evicted) = state.withLock { state in
            var evicted: [QueuedRequest] = []
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
            count(.cacheOverflow, old.kind)
            work.subtract(1, ordering: .acquiringAndReleasing)
        }
        guard size + bytes.count <= Spool.sizeLimit else { return }
        do throws(SpoolError) {
            request.file = try spool.write(bytes, id: request.id, at: .now)
            request.size = bytes.count
            state.withLock { $0.spoolSize += bytes.count }
        } catch {
            warn(error)
        }
    }

    /// Said once: what is wrong with the disk stays so, as a rule.
    func warn(_ error: SpoolError) {
        diagnostics.once(.warning, "\(error); a report that cannot be sent at once may be lost", key: "spool")
    }
}
