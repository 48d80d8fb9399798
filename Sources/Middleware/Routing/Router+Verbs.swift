public import HTTPTypes

// Four overloads per verb, not six concrete ones: they compile in half the time and give precise errors. The price is that
// a handler cannot return a leading-dot value, and that one which only throws must write its result type.

extension Router {
    /// Answers `method` on `path` with what the handler returns: a `String`, a ``Response``, an `HTTPResponse.Status`, or an
    /// optional of these; nil is a 404.
    public mutating func on<R: ResponseConvertible>(
        _ method: HTTPRequest.Method, _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) {
        add(method, path) { request in try await handler(request).response(for: request) }
    }

    /// Answers `method` on `path` with the JSON of what the handler returns; `Data` as the bytes that it is.
    @_disfavoredOverload @_alwaysEmitIntoClient
    public mutating func on<R: Encodable & Sendable>(
        _ method: HTTPRequest.Method, _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) {
        add(method, path) { request in try .encoded(await handler(request), for: request) }
    }

    /// Answers `method` on `path` with the JSON of what the handler returns; nil is a 404.
    @_disfavoredOverload @_alwaysEmitIntoClient
    public mutating func on<R: Encodable & Sendable>(
        _ method: HTTPRequest.Method, _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R?
    ) {
        add(method, path) { request in
            guard let value = try await handler(request) else { throw HTTPError(.notFound) }
            return try .encoded(value, for: request)
        }
    }

    /// Names what a handler may return.
    @_disfavoredOverload
    @available(
        *, unavailable,
        message:
            "a handler returns a String, bytes ([UInt8], Data), a Response, an HTTPResponse.Status, or any value that is Encodable and Sendable (or an optional of these); for no content return HTTPResponse.Status.noContent"
    )
    public mutating func on<R>(
        _ method: HTTPRequest.Method, _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) {}
}

// MARK: GET

extension Router {
    /// Answers GET on `path` with what the handler returns; nil is a 404.
    public mutating func get<R: ResponseConvertible>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) { on(.get, path, handler) }

    /// Answers GET on `path` with JSON.
    @_disfavoredOverload @_alwaysEmitIntoClient
    public mutating func get<R: Encodable & Sendable>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) { on(.get, path, handler) }

    /// Answers GET on `path` with JSON; nil is a 404.
    @_disfavoredOverload @_alwaysEmitIntoClient
    public mutating func get<R: Encodable & Sendable>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R?
    ) { on(.get, path, handler) }

    /// Names what a handler may return.
    @_disfavoredOverload
    @available(
        *, unavailable,
        message:
            "a handler returns a String, bytes ([UInt8], Data), a Response, an HTTPResponse.Status, or any value that is Encodable and Sendable (or an optional of these); for no content return HTTPResponse.Status.noContent"
    )
    public mutating func get<R>(_ path: String, _ handler: @escaping @Sendable (Request) async throws -> R) {}
}

// MARK: POST

extension Router {
    /// Answers POST on `path` with what the handler returns; nil is a 404.
    public mutating func post<R: ResponseConvertible>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) { on(.post, path, handler) }

    /// Answers POST on `path` with JSON.
    @_disfavoredOverload @_alwaysEmitIntoClient
    public mutating func post<R: Encodable & Sendable>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) { on(.post, path, handler) }

    /// Answers POST on `path` with JSON; nil is a 404.
    @_disfavoredOverload @_alwaysEmitIntoClient
    public mutating func post<R: Encodable & Sendable>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R?
    ) { on(.post, path, handler) }

    /// Names what a handler may return.
    @_disfavoredOverload
    @available(
        *, unavailable,
        message:
            "a handler returns a String, bytes ([UInt8], Data), a Response, an HTTPResponse.Status, or any value that is Encodable and Sendable (or an optional of these); for no content return HTTPResponse.Status.noContent"
    )
    public mutating func post<R>(_ path: String, _ handler: @escaping @Sendable (Request) async throws -> R) {}
}

// MARK: PUT

extension Router {
    /// Answers PUT on `path` with what the handler returns; nil is a 404.
    public mutating func put<R: ResponseConvertible>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) { on(.put, path, handler) }

    /// Answers PUT on `path` with JSON.
    @_disfavoredOverload @_alwaysEmitIntoClient
    public mutating func put<R: Encodable & Sendable>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) { on(.put, path, handler) }

    /// Answers PUT on `path` with JSON; nil is a 404.
    @_disfavoredOverload @_alwaysEmitIntoClient
    public mutating func put<R: Encodable & Sendable>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R?
    ) { on(.put, path, handler) }

    /// Names what a handler may return.
    @_disfavoredOverload
    @available(
        *, unavailable,
        message:
            "a handler returns a String, bytes ([UInt8], Data), a Response, an HTTPResponse.Status, or any value that is Encodable and Sendable (or an optional of these); for no content return HTTPResponse.Status.noContent"
    )
    public mutating func put<R>(_ path: String, _ handler: @escaping @Sendable (Request) async throws -> R) {}
}

// MARK: PATCH

extension Router {
    /// Answers PATCH on `path` with what the handler returns; nil is a 404.
    public mutating func patch<R: ResponseConvertible>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) { on(.patch, path, handler) }

    /// Answers PATCH on `path` with JSON.
    @_disfavoredOverload @_alwaysEmitIntoClient
    public mutating func patch<R: Encodable & Sendable>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) { on(.patch, path, handler) }

    /// Answers PATCH on `path` with JSON; nil is a 404.
    @_disfavoredOverload @_alwaysEmitIntoClient
    public mutating func patch<R: Encodable & Sendable>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R?
    ) { on(.patch, path, handler) }

    /// Names what a handler may return.
    @_disfavoredOverload
    @available(
        *, unavailable,
        message:
            "a handler returns a String, bytes ([UInt8], Data), a Response, an HTTPResponse.Status, or any value that is Encodable and Sendable (or an optional of these); for no content return HTTPResponse.Status.noContent"
    )
    public mutating func patch<R>(_ path: String, _ handler: @escaping @Sendable (Request) async throws -> R) {}
}

// MARK: DELETE

extension Router {
    /// Answers DELETE on `path` with what the handler returns; nil is a 404.
    public mutating func delete<R: ResponseConvertible>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) { on(.delete, path, handler) }

    /// Answers DELETE on `path` with JSON.
    @_disfavoredOverload @_alwaysEmitIntoClient
    public mutating func delete<R: Encodable & Sendable>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) { on(.delete, path, handler) }

    /// Answers DELETE on `path` with JSON; nil is a 404.
    @_disfavoredOverload @_alwaysEmitIntoClient
    public mutating func delete<R: Encodable & Sendable>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R?
    ) { on(.delete, path, handler) }

    /// Names what a handler may return.
    @_disfavoredOverload
    @available(
        *, unavailable,
        message:
            "a handler returns a String, bytes ([UInt8], Data), a Response, an HTTPResponse.Status, or any value that is Encodable and Sendable (or an optional of these); for no content return HTTPResponse.Status.noContent"
    )
    public mutating func delete<R>(_ path: String, _ handler: @escaping @Sendable (Request) async throws -> R) {}
}

// MARK: HEAD

extension Router {
    /// Answers HEAD on `path` with what the handler returns; nil is a 404.
    public mutating func head<R: ResponseConvertible>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) { on(.head, path, handler) }

    /// Answers HEAD on `path` with JSON.
    @_disfavoredOverload @_alwaysEmitIntoClient
    public mutating func head<R: Encodable & Sendable>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) { on(.head, path, handler) }

    /// Answers HEAD on `path` with JSON; nil is a 404.
    @_disfavoredOverload @_alwaysEmitIntoClient
    public mutating func head<R: Encodable & Sendable>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R?
    ) { on(.head, path, handler) }

    /// Names what a handler may return.
    @_disfavoredOverload
    @available(
        *, unavailable,
        message:
            "a handler returns a String, bytes ([UInt8], Data), a Response, an HTTPResponse.Status, or any value that is Encodable and Sendable (or an optional of these); for no content return HTTPResponse.Status.noContent"
    )
    public mutating func head<R>(_ path: String, _ handler: @escaping @Sendable (Request) async throws -> R) {}
}

// MARK: OPTIONS

extension Router {
    /// Answers OPTIONS on `path` with what the handler returns; nil is a 404.
    public mutating func options<R: ResponseConvertible>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) { on(.options, path, handler) }

    /// Answers OPTIONS on `path` with JSON.
    @_disfavoredOverload @_alwaysEmitIntoClient
    public mutating func options<R: Encodable & Sendable>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R
    ) { on(.options, path, handler) }

    /// Answers OPTIONS on `path` with JSON; nil is a 404.
    @_disfavoredOverload @_alwaysEmitIntoClient
    public mutating func options<R: Encodable & Sendable>(
        _ path: String, _ handler: @escaping @Sendable (Request) async throws -> R?
    ) { on(.options, path, handler) }

    /// Names what a handler may return.
    @_disfavoredOverload
    @available(
        *, unavailable,
        message:
            "a handler returns a String, bytes ([UInt8], Data), a Response, an HTTPResponse.Status, or any value that is Encodable and Sendable (or an optional of these); for no content return HTTPResponse.Status.noContent"
    )
    public mutating func options<R>(_ path: String, _ handler: @escaping @Sendable (Request) async throws -> R) {}
}
