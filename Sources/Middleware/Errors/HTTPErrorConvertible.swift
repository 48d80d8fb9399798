/// An error of your own domain that knows what it means to a client.
///
/// ```swift
/// extension OutOfStock: HTTPErrorConvertible {
///     var httpError: HTTPError { HTTPError(.conflict, "\(item) is sold out") }
/// }
/// ```
/// Asked once for each response, wherever the error comes from: a handler, a middleware, or a stream before its first byte. What was
/// thrown stays the response's ``Response/error``, and is what is logged and reported. A status that cannot end an exchange becomes a 500.
public protocol HTTPErrorConvertible: Error {
    /// Status and public words. Its ``HTTPError/detail`` goes to the log only.
    var httpError: HTTPError { get }
}
