/// Every link, oldest first, page by page: between two pages the database is free, and a slow reader slows the reading down.
struct EveryLink: AsyncSequence, Sendable {
    let store: Store
    var pageSize = 200

    func makeAsyncIterator() -> Iterator { Iterator(store: store, pageSize: pageSize) }

    struct Iterator: AsyncIteratorProtocol {
        let store: Store
        let pageSize: Int
        private var page: ArraySlice<Link> = []
        private var last: Int64 = 0
        private var isLastPage = false

        init(store: Store, pageSize: Int) { (self.store, self.pageSize) = (store, pageSize) }

        mutating func next() async throws -> Link? {
            if page.isEmpty, !isLastPage {
                page = try await store.links(after: last, limit: pageSize)[...]
                isLastPage = page.count < pageSize
            }
            guard let link = page.popFirst() else { return nil }
            last = link.id
            return link
        }
    }
}
