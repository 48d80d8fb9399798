import Foundation
import GRDB
import Sluice

/// A short link.
struct Link: Codable, Sendable, FetchableRecord {
    /// Later ones are higher; also what events are told apart by.
    let id: Int64
    let slug: String
    let target: String
    let owner: String
    let hits: Int
    let createdAt: Date
}

/// A link that somebody wants, as form or JSON.
struct LinkDraft: Decodable, Sendable, Validatable {
    let target: String
    let slug: String?

    /// Nil also where a browser has sent a field that nobody filled in.
    var wantedSlug: String? { slug.flatMap { $0.isEmpty ? nil : $0 } }

    /// The address as ASCII, which a header can hold; nil where it is none that a browser may be sent to.
    var address: String? {
        guard let url = URL(string: target), let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme),
            url.host()?.isEmpty == false
        else { return nil }
        return url.absoluteString
    }

    func validate(_ checks: inout Validation) {
        checks.require(address != nil, "target", "must be an address that begins with http:// or https://")
        checks.require(target.utf8.count <= 2000, "target", "must have 2000 bytes at most")
        if let slug = wantedSlug {
            checks.require(
                Self.isSlug(slug), "slug", "must have from 3 to 40 letters and digits, and '-' and '_' behind the first one")
        }
    }

    /// A slug begins with a letter or a digit: a spreadsheet that opens the export takes it for no formula.
    private static func isSlug(_ text: String) -> Bool {
        func isWord(_ octet: UInt8) -> Bool {
            switch octet {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                true
            default: false
            }
        }
        guard (3...40).contains(text.utf8.count), text.utf8.first.map(isWord) == true else { return false }
        return text.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }
}
