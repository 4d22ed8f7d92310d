import AloftTestKit
import Foundation
import Synchronization
import Testing

@testable import AloftStore

/// What strangers ask in shapes of their own ends, and leaves others their connection.
struct SearchTests {
    /// Goes on until it is interrupted.
    private static let endless =
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"

    @Test func `a search is interrupted when its time is over, and its connection goes on`()
        async throws
    {
        let temporary = try TemporaryStore()
        for _ in 0..<6 {
            await #expect(throws: StoreError.searchTooLong(seconds: 0)) {
                try await temporary.store.search(within: .milliseconds(30)) { db in
                    try db.value(of: Int.self, sql: Self.endless)
                }
            }
        }
        #expect(
            try await temporary.store.search { try $0.value(of: Int.self, sql: "SELECT 7") } == 7)
    }

    @Test func `a search ends with its task`() async throws {
        let temporary = try TemporaryStore()
        let store = temporary.store
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let search = Task {
            try await store.search(within: .seconds(600)) { db in
                begin.finish()
                return try db.value(of: Int.self, sql: Self.endless)
            }
        }
        for await _ in begun {}
        search.cancel()
        await #expect(throws: (any Error).self) { try await search.value }
    }

    private final class Count: Sendable { let value = Mutex(0) }

    @Test func `as many searches as there may be leave a connection to the others`() async throws {
        let temporary = try TemporaryStore()
        let store = temporary.store
        let ended = Count()
        let searches = (0..<8).map { _ in
            Task {
                defer { ended.value.withLock { $0 += 1 } }
                return try await store.search(within: .seconds(600)) { db in
                    try db.value(of: Int.self, sql: Self.endless)
                }
            }
        }
        for _ in 0..<20 {
            #expect(try await store.read { try $0.value(of: Int.self, sql: "SELECT 7") } == 7)
        }
        #expect(ended.value.withLock { $0 } == 0)
        for search in searches { search.cancel() }
        for search in searches { _ = try? await search.value }
    }

    @Test func `who waits at a turnstile goes in order, and leaves when cancelled`() async throws {
        let turnstile = Turnstile(places: 1)
        let (opened, open) = AsyncStream.makeStream(of: Void.self)
        let (entered, enter) = AsyncStream.makeStream(of: Void.self)
        let first = Task {
            try await turnstile.pass {
                enter.finish()
                for await _ in opened {}
            }
        }
        for await _ in entered {}
        let second = Task { try await turnstile.pass { 2 } }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        let third = Task { try await turnstile.pass { 3 } }
        open.finish()
        try await first.value
        #expect(try await third.value == 3)
        #expect(try await turnstile.pass { 4 } == 4)
    }
}
