internal import CSluiceRuntime
internal import Synchronization

/// Turns return addresses into frames: names, files and lines where the binary has them, addresses and images in any case.
package enum Symbols {
    private static let imageLimit = 256

    /// The images that the addresses lie in.
    package static func images(for addresses: [UInt]) -> [LoadedImage] {
        listed.withLock { listed in
            // Making the list reads files. Only an image that was loaded meanwhile makes it worth that again.
            if !addresses.allSatisfy({ address in listed.contains { $0.contains(address) } }) { listed = all() }
            return listed.filter { addresses.contains(where: $0.contains) }
        }
    }

    private static let listed = Mutex<[LoadedImage]>([])

    private static func all() -> [LoadedImage] {
        var raw = [sluice_image](repeating: sluice_image(), count: imageLimit)
        let count = sluice_images(&raw, raw.count)
        return raw.prefix(count).map { image in
            var image = image
            let id = withUnsafeBytes(of: &image.build_id) { Array($0.prefix(image.build_id_length)) }
            let debug = withUnsafeBytes(of: &image.debug_id) { Array($0) }
            return LoadedImage(
                address: UInt(image.base), size: UInt(image.size), path: image.path.map { String(cString: $0) } ?? "",
                codeID: id.isEmpty ? nil : hex(id), debugID: guid(debug))
        }
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
    }

    /// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`.
    private static func guid(_ bytes: [UInt8]) -> String {
        var rest = bytes[...]
        return [4, 2, 2, 2, 6].map { length in
            defer { rest = rest.dropFirst(length) }
            return hex(rest.prefix(length))
        }.joined(separator: "-")
    }

    /// Addresses only, oldest first: names can wait.
    package static func bareFrames(_ addresses: [UInt], _ images: [LoadedImage]) -> [StackFrame] {
        addresses.reversed().map { frame($0, nil, images) }
    }

    /// Calls with their names, oldest first. Thunks of the compiler tell nobody anything and are left out where their names are known.
    /// Reads the binaries' files: not for a request's thread.
    package static func frames(_ addresses: [UInt], _ images: [LoadedImage]) -> [StackFrame] {
        let all = known.withLock { known in
            if known.count > knownLimit { known = [:] }
            let new = addresses.filter { known[$0] == nil }
            if !new.isEmpty {
                var raw = [sluice_symbol](repeating: sluice_symbol(), count: new.count)
                _ = sluice_symbolicate(new, new.count, &raw)
                for (address, symbol) in zip(new, raw) { known[address] = frame(address, symbol, images) }
            }
            return addresses.map { known[$0] ?? frame($0, nil, images) }
        }
        let kept = all.filter { !isThunk($0.function ?? "") }
        return (kept.isEmpty ? all : kept).reversed()
    }

    /// An app throws at the same places again and again.
    private static let known = Mutex<[UInt: StackFrame]>([:])
    private static let knownLimit = 2000

    private static func frame(_ address: UInt, _ symbol: sluice_symbol?, _ images: [LoadedImage]) -> StackFrame {
        let image = images.first { $0.contains(address) }
        var frame = StackFrame(
            instructionAddress: address, imageAddress: image?.address, package: image?.path, inApp: image.map(isApp) ?? false)
        guard var symbol else { return frame }
        if let mangled = String(cField: &symbol.function) {
            frame.rawFunction = mangled
            let name = demangle(mangled)
            // A thunk keeps its long name, by which it is left out.
            frame.function = isThunk(name) ? name : FunctionName.short(name)
            frame.inApp = frame.inApp && !isLibrary(mangled)
        }
        if let file = String(cField: &symbol.file) {
            frame.file = file
            frame.line = Int(symbol.line)
            frame.column = Int(symbol.column)
        }
        return frame
    }

    /// The place for log records, which are written on a request's thread: reads no file, and waits for the loader at most. It
    /// is `find(id:) (Shop.swift:7)` where an earlier report has found that out, `find(id:) + 12` where the program exports the
    /// name, else `bootstrap + 0x1a2b`.
    package static func place(_ address: UInt) -> String? {
        if let frame = known.withLockIfAvailable({ $0[address] }).flatMap(\.self), let function = frame.function {
            if isThunk(function) { return nil }
            return frame.file.map { "\(function) (\($0.split(at: "/").last ?? "?"):\(frame.line ?? 0))" } ?? function
        }
        let place = sluice_place_of(address)
        guard let path = place.path else { return "0x" + String(address, radix: 16) }
        guard let function = place.function else {
            let name = String(cString: path).split(at: "/").last ?? "?"
            return "\(name) + 0x\(String(place.offset, radix: 16))"
        }
        let name = demangle(String(cString: function))
        return isThunk(name) ? nil : "\(FunctionName.short(name)) + \(place.offset)"
    }

    private static func isThunk(_ name: String) -> Bool {
        ["thunk for ", "partial apply ", "protocol witness for "].contains { name.contains(text: $0) }
    }

    /// The main program is the app's own code, shared libraries are not.
    private static func isApp(_ image: LoadedImage) -> Bool { !isLibrary(path: image.path) }

    /// Whether its name is a library's: a folder may be called anything.
    static func isLibrary(path: String) -> Bool {
        let name = String(path.split(at: "/").last ?? "")
        return name.hasSuffix(".so") || name.contains(text: ".so.")
    }

    /// Statically linked libraries lie in the main program: their modules tell. Swift's own, Foundation's and ours.
    private static func isLibrary(_ mangled: String) -> Bool {
        let modules = ["$ss", "$sS", "$s10Foundation", "$s20FoundationEssentials", "$s7Logging", "$s9HTTPTypes"]
        return modules.contains { mangled.hasPrefix($0) } || isOurs(mangled)
            || (!mangled.hasPrefix("$s") && !mangled.hasPrefix("main"))
    }

    /// `$s`, the length of the module's name, and the name: all of ours begin alike.
    private static func isOurs(_ mangled: String) -> Bool {
        let name = mangled.utf8.dropFirst(2).drop { 0x30...0x39 ~= $0 }
        return name.starts(with: "Sluice".utf8)
    }
}
