/// A line of the app's list that is for the whole process: requests never meet it, as the chain takes it out when it is built. Among the
/// middleware of a group of routes it passes requests on.
///
/// A middleware by its type, so that it may stand in optionals and arrays as others do.
package protocol ProcessPart: Middleware {}
