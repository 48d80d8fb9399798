import Sluice

/// What a handler saw of its request.
struct Seen: Encodable {
    let x: [String]
    let y: [String]
    let cookies: [String: String]
    let probe: String?
    let address: String?
    let body: String
}

/// Shows its tests what reached it, and answers with what front ends treat each in their own way.
@main
struct Mirror {
    static func main() async throws {
        var routes = Router()
        routes.post("/seen") { request in
            Seen(
                x: request.query.all("x"), y: request.query.all("y"),
                cookies: Dictionary(request.cookies.all.map { ($0.name, $0.value) }) { _, last in last },
                probe: request.headers[values: .init("x-probe") ?? .userAgent].last, address: request.remoteAddress,
                body: String(decoding: try await request.body.collect(), as: UTF8.self))
        }
        routes.get("/cookies") { _ in
            var response = Response.text("two")
            try response.setCookie(SetCookie(name: "a", value: "1"))
            try response.setCookie(SetCookie(name: "b", value: "2"))
            return response
        }
        routes.get("/binary") { _ in Response.data(Array(0...255), contentType: "image/png") }
        routes.get("/lines") { _ in
            let logger = Logger(label: "mirror")
            for number in 1...20 {
                print("printed \(number)")
                logger.info("logged \(number)")
            }
            print("left open", terminator: "")
            return "said"
        }
        routes.get("/moved") { _ in Response.redirect(to: "/elsewhere") }
        routes.get("/unchanged") { _ in Response(status: .notModified) }
        try await LambdaApp { routes }.run()
    }
}
