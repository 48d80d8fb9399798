/// A loaded ELF file: what a server needs to find the names of its addresses.
package struct LoadedImage: Sendable, Hashable {
    package var address: UInt
    package var size: UInt
    package var path: String
    /// The GNU build id, lower-case hexadecimal; nil without one.
    package var codeID: String?
    /// A GUID of the build id, or of the code where there is none.
    package var debugID: String

    package init(address: UInt, size: UInt, path: String, codeID: String?, debugID: String) {
        self.address = address
        self.size = size
        self.path = path
        self.codeID = codeID
        self.debugID = debugID
    }

    package func contains(_ codeAddress: UInt) -> Bool { codeAddress >= address && codeAddress - address < size }
}
