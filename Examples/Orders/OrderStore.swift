import Sluice

struct OrderDraft: Codable, Sendable {
    let item: String
    let quantity: Int
}

struct Order: Codable, Sendable, Equatable {
    let id: Int
    let item: String
    let quantity: Int
    let owner: String
}

/// Orders in memory; a real shop has a database here. The sandbox keeps it between invocations, until it is recycled.
actor OrderStore {
    private var orders: [Int: Order] = [:]
    private var lastID = 0

    func all(of user: User?) -> [Order] {
        orders.values.filter { $0.owner == user?.name }.sorted { $0.id < $1.id }
    }

    func insert(_ draft: OrderDraft, for user: User?) -> Order {
        lastID += 1
        let order = Order(id: lastID, item: draft.item, quantity: draft.quantity, owner: user?.name ?? "")
        orders[lastID] = order
        return order
    }

    func find(_ id: Int) -> Order? { orders[id] }

    func delete(_ id: Int) throws {
        guard orders.removeValue(forKey: id) != nil else { throw HTTPError(.notFound, "there is no order \(id)") }
    }
}
