internal import HTTPTypes
internal import SluiceCore
internal import SluiceMiddleware
internal import Synchronization

/// Cookies by their names alone.
final class CookieJar: Sendable {
    private let kept = Mutex<[(name: String, value: String)]>([])

    func dressed(_ request: Request) -> Request {
        let pairs = kept.withLock(\.self)
        guard !pairs.isEmpty, request.headers[.cookie] == nil else { return request }
        var request = request
        request.headers[.cookie] = pairs.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
        return request
    }

    func take(_ headers: HTTPFields) {
        for line in headers[values: .setCookie] {
            let parts = line.split(at: ";").map(\.trimmed)
            guard let (name, value) = parts.first?.cut(at: "=") else { continue }
            var (maxAge, expires): (Int64?, WallClock.Instant?) = (nil, nil)
            for attribute in parts.dropFirst() {
                guard let (name, value) = attribute.cut(at: "=") else { continue }
                if name.isSame(ignoringCase: "max-age") { maxAge = Int64(value) }
                if name.isSame(ignoringCase: "expires") { expires = HTTPDate.parse(String(value)) }
            }
            let isGone = maxAge.map { $0 <= 0 } ?? expires.map { $0 <= .now } ?? false
            kept.withLock { kept in
                kept.removeAll { $0.name.isSame(as: String(name)) }
                if !isGone { kept.append((String(name), String(value))) }
            }
        }
    }
}
