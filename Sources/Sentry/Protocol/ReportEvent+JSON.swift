internal import SluiceCore
internal import SluiceReporting

extension ReportEvent {
    /// The event item's payload. Never throws and never has what a strict server rejects: what is empty or breaks a limit is cut
    /// or left out here.
    ///
    /// - Parameter transaction: What this is the event of, where it is not that of an error.
    func json(_ transaction: SentryTransaction? = nil, sdk: SDK = .current) -> [UInt8] {
        var json = JSONWriter(reserving: 4096)
        json.object { json in
            json.field("event_id", id)
            json.key("timestamp")
            // A transaction of less than a millisecond ends where it begins, and never before that: servers refuse it then.
            json.number(transaction?.root.end ?? timestamp.secondsSinceEpoch)
            // Not `swift`: servers store that as `other`. `native` frames are symbolicated.
            json.field("platform", "native")
            if let transaction {
                transaction.write(to: &json)
            } else {
                json.field("level", level.rawValue)
                json.text("logger", logger, limit: 64)
            }
            if let message, !message.isEmpty {
                json.key("logentry")
                json.object { $0.field("formatted", Trim.text(message, to: Trim.message)) }
            }
            json.text("transaction", self.transaction, limit: 200)
            if self.transaction?.isEmpty == false {
                json.key("transaction_info")
                let isRoute = transaction?.isOfRequest ?? true
                json.object { $0.field("source", isRoute ? "route" : "custom") }
            }
            json.text("server_name", serverName, limit: 200)
            json.text("release", Field.release(release), limit: 200)
            json.text("environment", Field.environment(environment), limit: 64)
            if Field.release(release) != nil { json.text("dist", Field.dist(dist), limit: 64) }
            json.key("sdk")
            sdk.write(to: &json)
            writeTags(to: &json)
            if !fingerprint.isEmpty {
                json.key("fingerprint")
                json.array { json in for part in fingerprint { json.string(part.utf8) } }
            }
            writeUser(to: &json)
            if let request { request.write(to: &json) }
            writeContexts(to: &json, transaction?.root)
            writeValues("breadcrumbs", breadcrumbs, to: &json) { $0.write(to: &$1) }
            writeValues("exception", exceptions, to: &json) { $0.write(to: &$1) }
            writeImages(to: &json)
        }
        return json.bytes
    }

    private func writeTags(to json: inout JSONWriter) {
        let valid = tags.inOrder.compactMap { key, value in Field.tag(key, value) }
        guard !valid.isEmpty else { return }
        json.key("tags")
        json.object { json in for (key, value) in valid { json.field(key, value) } }
    }

    private func writeUser(to json: inout JSONWriter) {
        guard let user, !user.isEmpty else { return }
        json.key("user")
        json.object { json in
            json.text("id", user.id, limit: 128)
            json.text("username", user.username, limit: 128)
            json.text("email", user.email, limit: 75)
            json.text("ip_address", user.ipAddress, limit: 45)
        }
    }

    private func writeContexts(to json: inout JSONWriter, _ root: FinishedSpan?) {
        json.key("contexts")
        json.object { json in
            if let trace {
                json.key("trace")
                json.object { json in
                    json.field("trace_id", trace.traceID)
                    json.field("span_id", trace.spanID)
                    json.text("parent_span_id", trace.parentSpanID, limit: 16)
                    if let root { root.writeOutcome(to: &json) } else { json.field("op", "http.server") }
                }
            }
            for (name, values) in contexts.inOrder where name != "trace" || trace == nil {
                let values = values.filter { $0.value != .null && $0.value != .string("") }
                guard !values.isEmpty else { continue }
                json.key(name)
                ReportValue.object(values).write(to: &json)
            }
        }
    }

    /// `"key":{"values":[…]}`, or nothing.
    private func writeValues<T>(
        _ key: String, _ values: [T], to json: inout JSONWriter, _ write: (T, inout JSONWriter) -> Void
    ) {
        guard !values.isEmpty else { return }
        json.key(key)
        json.object { json in
            json.key("values")
            json.array { json in for value in values { write(value, &json) } }
        }
    }

    private func writeImages(to json: inout JSONWriter) {
        guard !images.isEmpty else { return }
        json.key("debug_meta")
        json.object { json in
            json.key("images")
            json.array { json in
                for image in images {
                    json.object { json in
                        json.field("type", "elf")
                        json.field("image_addr", "0x" + String(image.address, radix: 16))
                        json.field("image_size", Int(clamping: image.size))
                        json.field("debug_id", image.debugID)
                        json.text("code_id", image.codeID, limit: 128)
                        json.field("code_file", image.path)
                        json.field("arch", ReportContexts.architecture)
                    }
                }
            }
        }
    }
}

extension Breadcrumb {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.key("timestamp")
            json.number(timestamp.secondsSinceEpoch)
            json.text("type", type, limit: 64)
            json.text("category", category, limit: 200)
            json.text("message", message, limit: Trim.breadcrumb)
            json.field("level", level.rawValue)
            if !data.isEmpty {
                json.key("data")
                ReportValue.object(data).write(to: &json)
            }
        }
    }
}

extension ReportException {
    /// Server-side, 250 frames are kept; both ends of a deep recursion tell more than its middle.
    private static let frameLimit = 100

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("type", Trim.text(type, to: 256))
            if !value.isEmpty { json.field("value", Trim.text(value, to: Trim.value)) }
            json.text("module", module, limit: 256)
            json.key("mechanism")
            json.object { json in
                json.field("type", mechanism.type)
                if let handled = mechanism.handled { json.field("handled", handled) }
                json.field("exception_id", mechanism.exceptionID)
                if let parent = mechanism.parentID { json.field("parent_id", parent) }
                json.text("source", mechanism.source, limit: 128)
            }
            guard !frames.isEmpty else { return }
            json.key("stacktrace")
            json.object { json in
                // A walk of frame pointers yields return addresses only.
                json.field("instruction_addr_adjustment", "all")
                json.key("frames")
                json.array { json in
                    let half = Self.frameLimit / 2
                    let kept = frames.count <= Self.frameLimit ? frames : Array(frames.prefix(half) + frames.suffix(half))
                    for frame in kept { frame.write(to: &json) }
                }
            }
        }
    }
}

extension StackFrame {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.text("function", function, limit: 512)
            json.text("raw_function", rawFunction, limit: 512)
            if let file, !file.isEmpty {
                json.field("filename", file.split(at: "/").last.map(String.init) ?? file)
                json.field("abs_path", file)
            }
            if let line, line > 0 { json.field("lineno", line) }
            if let column, column > 0 { json.field("colno", column) }
            json.field("instruction_addr", "0x" + String(instructionAddress, radix: 16))
            if let imageAddress { json.field("image_addr", "0x" + String(imageAddress, radix: 16)) }
            json.text("package", package, limit: 512)
            json.field("in_app", inApp)
        }
    }
}

extension ReportRequest {
    func write(to json: inout JSONWriter) {
        json.key("request")
        json.object { json in
            json.text("method", method, limit: 32)
            json.text("url", url, limit: 4096)
            json.pairs("query_string", query)
            json.pairs("headers", headers)
            json.pairs("cookies", cookies)
            json.text("data", body, limit: Scrubber.bodyLimit)
            if let remoteAddress {
                json.key("env")
                json.object { $0.field("REMOTE_ADDR", remoteAddress) }
            }
        }
    }
}

extension JSONWriter {
    /// Text that is there, cut at `limit` characters; nothing where it is nil or empty.
    mutating func text(_ name: String, _ text: String?, limit: Int) {
        guard let text, !text.isEmpty else { return }
        field(name, Trim.text(text, to: limit))
    }

    mutating func pairs(_ name: String, _ pairs: [ReportRequest.Pair]) {
        guard !pairs.isEmpty else { return }
        key(name)
        array { json in
            for pair in pairs.prefix(100) {
                json.array { json in
                    json.string(Trim.text(pair.name, to: 200).utf8)
                    json.string(Trim.text(pair.value, to: 1024).utf8)
                }
            }
        }
    }
}
