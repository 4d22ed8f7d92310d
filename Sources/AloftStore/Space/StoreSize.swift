import GRDB

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
        try await read { db in
            let page = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 0
            let pages = try Int64.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            let free = try Int64.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
            return StoreSize(bytes: pages * page, freeBytes: free * page)
        }
    }

    /// Gives empty pages back to the file system, a few at a time, so that other writes come between.
    /// A file from before this could be is written anew once, which holds up writes.
    package func shrink() async throws {
        let isIncremental = try await maintain { db in
            try Int.fetchOne(db, sql: "PRAGMA auto_vacuum") == 2
        }
        if isIncremental {
            var left = try await freePages()
            while left > 0 {
                try await maintain { db in try db.execute(sql: "PRAGMA incremental_vacuum(500)") }
                let now = try await freePages()
                guard now < left else { break }
                left = now
            }
        } else if try await freePages() > 0 {
            try await maintain { db in
                try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
                try db.execute(sql: "VACUUM")
            }
        }
        // The file shortens when the log is written back. A reader may hold it up; then it shortens
        // with a later commit.
        try await maintain { db in try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
    }

    private func freePages() async throws -> Int {
        try await maintain { db in try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0 }
    }
}
