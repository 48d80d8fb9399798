// Compiles, in the user's own settings: everything the guide shows of the list and of handlers.
import Sluice

struct Step: Middleware {
    func handle(_ request: Request, next: Next) async throws -> Response {
        var response = await next(request)
        response.headers[.contentLanguage] = "en"
        response.wrapBody { writer, body in try await body(writer) }
        return response
    }
}

enum Signed: RequestKey { typealias Value = String }
struct Order: Codable, Sendable { let id: Int }

actor Store {
    func find(_ id: Int) -> Order? { nil }
    func all() -> [Order] { [] }
    func delete(_ id: String) -> Order { Order(id: 1) }
}

func build(_ flag: Bool, _ store: Store) throws -> LambdaApp {
    var routes = Router()
    routes.get("/hello/{name}") { request in
        "Hello, \(try request.parameters.require("name"))!"
    }
    routes.get("/orders") { _ in await store.all() }
    routes.get("/orders/{id}") { request in try await store.find(request.parameters.require("id", as: Int.self)) }
    routes.post("/orders") { request in
        let order = try request.decode(Order.self)
        return try Response.json(order, status: .created)
    }
    routes.on(.put, "/x") { _ in HTTPResponse.Status.noContent }
    routes.patch("/x") { request -> String? in request[Signed.self] }
    routes.head("/x") { _ in Response(status: .ok, headers: [.contentType: "a/b"], body: .empty) }
    routes.options("/x") { _ in Response(body: .bytes([1])) }
    routes.get("/fail") { _ -> String in throw HTTPError(.notFound, "what the client may read", detail: "what only we read") }
    routes.get("/stream") { _ in
        Response.stream(contentType: "text/csv") { writer in
            try await writer.write("a")
            try await writer.write([0x62] as [UInt8])
        }
    }
    routes.get("/events") { _ in
        Response.events { events in try await events.send(ServerSentEvent("x", event: "tick")) }
    }
    routes.get("/everything") { request in
        let parts: [String?] = [
            request.id, request.method.rawValue, request.path, request.query["q"], request.headers[.contentType],
            request.cookies["a"], request.remoteAddress, request.lambda?.functionARN, request.lambda?.traceID,
        ]
        _ = (request.body.bytes, request.deadline?.remaining, request.lambda?.event.json)
        return parts.compactMap(\.self).joined()
    }
    routes.group("/admin", Step(), Step()) { admin in
        admin.delete("/orders/{id}") { request in try await store.delete(request.parameters.require("id")) }
    }
    let more = [Router(), Router()]
    let some: Step? = flag ? Step() : nil
    let any: (any Middleware)? = flag ? Step() : RequestID()
    let one: any Middleware = Step()
    return LambdaApp {
        RequestID()
        AccessLog()
        if flag { Step() }
        if flag { Step() } else { RequestID() }
        for _ in 0..<2 { Step() }
        some
        any
        one
        [Step(), RequestID()] as [any Middleware]
        routes
        more
        if flag { Router() }
        if flag { Router(); Router() } else { more }
        for router in more { router }
        CaptureErrors()
        FlushReports(when: .afterReply, within: .seconds(2))
    }
}

func small() -> LambdaApp { LambdaApp { Router() } }

struct Detail: Decodable, Sendable { let n: Int }
struct Done: Encodable, Sendable { let count: Int }

func handlers(_ store: Store) -> Events {
    var events = Events()
    events.queue(of: Order.self) { message in
        _ = (message.body.id, message.id, message.attributes, message.raw.json, message.receiptHandle, message.queueARN)
        _ = (message.groupID, message.receiveCount, message.messageAttributes["a"]?.text, message.sentAt)
        _ = await store.all()
    }
    events.stream(of: Order.self) { record in
        _ = (record.body, record.source == .kinesis, record.sequenceNumber, record.partitionKey, record.change == .remove)
        _ = (try record.oldBody()?.id, record.oldImage?.json, record.time, record.id, record.attributes, record.raw)
    }
    events.schedule { event in _ = (event.time, event.resources, event.id, event.raw, event.attributes, event.body) }
    events.object { event in
        _ = (event.bucket, event.key, event.rawKey, event.size, event.eTag, event.versionID, event.eventName)
    }
    events.topic(of: String.self) { message in _ = (message.body.utf8, message.subject, message.topicARN, message.timestamp) }
    events.bus(of: Detail.self) { event in
        _ = (event.body.n, event.source, event.detailType, event.account, event.region, event.time, event.resources)
    }
    events.any(of: [UInt8].self) { event in Done(count: event.body.count) }
    return events
}

func anything(_ store: Store) -> [Events] {
    var void = Events()
    void.any(of: Detail.self) { event in _ = await store.delete("\(event.body.n)") }
    var several = Events()
    several.any(of: Detail.self) { event in
        if event.body.n > 1 { throw HTTPError(.gone) }
        return event.body.n
    }
    var nothing = Events()
    nothing.any(of: Detail.self) { _ in }
    var failing = Events()
    failing.any(of: Detail.self) { _ in throw HTTPError(.gone) }
    var optional = Events()
    optional.any(of: Detail.self) { event in event.body.n > 1 ? Done(count: 1) : nil }
    return [void, several, nothing, failing, optional]
}

func eventful(_ events: Events, _ routes: Router, _ flag: Bool) async throws -> LambdaEvent {
    let some: Events? = flag ? events : nil
    let apps = [
        LambdaApp { events },
        LambdaApp {
            routes; events
        },
        LambdaApp {
            events; routes; CaptureErrors(); FlushReports()
        },
        LambdaApp {
            RequestID(); events; CaptureErrors()
        },
        LambdaApp {
            routes; some
        },
        LambdaApp {
            routes; if flag { events }
        },
    ]
    return try await apps[0].respond(to: LambdaEvent("{}"))
}

func test(_ app: LambdaApp) async {
    let response = await app.respond(to: Request(.post, "/orders", headers: [.accept: "a/b"], body: "{}"))
    _ = (response.error is HTTPError, response.status == .ok, response.text)
}

func captures(_ options: ReportOptions?) -> [CaptureErrors] {
    [
        CaptureErrors(), CaptureErrors(returnedServerErrors: false), CaptureErrors(ReportOptions()),
        CaptureErrors(.init { $0.debug = true }),
        CaptureErrors(ReportOptions { $0.dsn = "" }, returnedServerErrors: false), CaptureErrors(options),
    ]
}
