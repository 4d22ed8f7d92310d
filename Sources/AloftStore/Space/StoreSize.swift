/// How large the database file is.
package struct StoreSize: Sendable, Equatable {
    package var bytes: Int64
    /// Of these, in pages that hold nothing.
    package var freeBytes: Int64

    package init(bytes: Int64, freeBytes: Int64) {
        self.bytes = bytes
        self.freeBytes = freeBytes
    }
}

extension Store {
    package func size() async throws -> StoreSize {
        let pages = try await read { db in try db.pages() }
        return StoreSize(
            bytes: pages.count * pages.bytesOfOne, freeBytes: pages.free * pages.bytesOfOne)
    }

    /// Gives empty pages back to the file system, a few at a time, so that other writes come between.
    /// A file from before this could be is written anew once, which holds up writes.
    package func shrink() async throws {
        if try await maintain({ db in try db.canShrinkBitByBit() }) {
            var left = try await freePages()
            while left > 0 {
                try await maintain { db in try db.shrink(pages: 500) }
                let now = try await freePages()
                guard now < left else { break }
                left = now
            }
        } else if try await freePages() > 0 {
            try await maintain { db in try db.rewrite() }
        }
        // The file shortens when the log is written back. A reader may hold it up; then it shortens
        // with a later commit.
        try await maintain { db in try db.writeLogBack() }
    }

    private func freePages() async throws -> Int64 {
        try await maintain { db in try db.pages().free }
    }
}
