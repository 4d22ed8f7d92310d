import AloftDomain
import AloftTestKit
import Foundation
import Testing

@testable import AloftStore

struct RegistryQueriesTests {
    private static let start = Date(timeIntervalSince1970: 1_700_000_000)

    @Test func `a version's number is never given twice`() async throws {
        let temporary = try TemporaryStore()
        try await temporary.store.write { db in
            try RegistryQueries.createModel(db, name: "m", who: .local, at: Self.start)
            let new = NewModelVersion(
                name: "m", source: "models:/m-1", tags: [.init(key: "a", value: "b")])
            for _ in 0..<3 {
                try RegistryQueries.createVersion(db, new, who: .local, at: Self.start)
            }
            try RegistryQueries.deleteVersion(db, "m", 3, who: .local, at: Self.start)
            let next = try RegistryQueries.createVersion(db, new, who: .local, at: Self.start)
            #expect(next.version == 4)
            #expect(next.tags == [NamedText(key: "a", value: "b")])
            #expect(try RegistryQueries.versions(db, of: "m").map(\.version) == [4, 2, 1])
        }
    }

    @Test func `an alias moves, follows a renaming and goes with its version`() async throws {
        let temporary = try TemporaryStore()
        try await temporary.store.write { db in
            let at = Self.start
            try RegistryQueries.createModel(db, name: "m", who: .local, at: at)
            for _ in 0..<2 {
                try RegistryQueries.createVersion(
                    db, NewModelVersion(name: "m", source: "s"), who: .local, at: at)
            }
            try RegistryQueries.setAlias(db, "m", alias: "champ", version: 1, who: .local, at: at)
            try RegistryQueries.setAlias(db, "m", alias: "champ", version: 2, who: .local, at: at)
            try RegistryQueries.renameModel(db, "m", to: "n", who: .local, at: at)
            #expect(try RegistryQueries.version(db, "n", alias: "champ").version == 2)
            #expect(throws: RegistryError.versionNotFound(name: "m", version: 1)) {
                try RegistryQueries.version(db, "m", 1)
            }
            try RegistryQueries.deleteVersion(db, "n", 2, who: .local, at: at)
            #expect(throws: RegistryError.aliasNotFound(name: "n", alias: "champ")) {
                try RegistryQueries.version(db, "n", alias: "champ")
            }
        }
    }

    @Test func `the newest version of each stage is the latest`() async throws {
        let temporary = try TemporaryStore()
        try await temporary.store.write { db in
            let at = Self.start
            try RegistryQueries.createModel(db, name: "m", who: .local, at: at)
            for _ in 0..<3 {
                try RegistryQueries.createVersion(
                    db, NewModelVersion(name: "m", source: "s"), who: .local, at: at)
            }
            try RegistryQueries.setStage(
                db, "m", 1, .production, archivingOthers: true, who: .local, at: at)
            try RegistryQueries.setStage(
                db, "m", 2, .production, archivingOthers: true, who: .local, at: at)
            let latest = try RegistryQueries.latestVersions(db, "m", stages: [])
            #expect(latest.map(\.version) == [1, 2, 3])
            #expect(latest.map(\.stage) == [.archived, .production, ModelStage.none])
        }
    }
}
