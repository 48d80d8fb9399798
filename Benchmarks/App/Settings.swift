#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// What the growth measurements vary: how many routes and pass-through middleware the app has besides its own.
struct Settings {
    let routes = Self.number("BENCH_ROUTES")
    let middleware = Self.number("BENCH_MIDDLEWARE")

    /// Which of the twelve shipped middleware of the table "Twelve middleware" the app has, a bit for each: 4095 for all.
    let twelve = Self.number("BENCH_TWELVE")

    private static func number(_ name: String) -> Int { getenv(name).flatMap { Int(String(cString: $0)) } ?? 0 }
}
