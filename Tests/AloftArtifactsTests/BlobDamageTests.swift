import AloftArtifacts
import AloftDomain
import AloftTestKit
import Foundation
import Testing

struct BlobDamageTests {
    private func flip(_ path: String) throws {
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        let byte = try #require(try handle.read(upToCount: 1)).first ?? 0
        try handle.seek(toOffset: 0)
        try handle.write(contentsOf: Data([byte ^ 1]))
        try handle.close()
    }

    @Test func `a flipped bit is noticed, put aside, and mended by the same upload`() throws {
        let folder = try TemporaryFolder()
        let store = try BlobStore(root: folder.path, chance: .seeded(1))
        let data = Data(repeating: 7, count: 100_000)
        let digest = try store.put(data).digest
        #expect(store.isChecked(digest))
        try flip(store.path(of: digest))
        #expect(!store.isChecked(digest))
        #expect(throws: ArtifactError.blobDamaged(digest)) { try store.check(digest) }
        #expect(!store.contains(digest))
        #expect(FileManager.default.fileExists(atPath: store.damagedPath(of: digest)))
        // It goes on being said, and is not there for who would leave an upload out.
        #expect(throws: ArtifactError.blobDamaged(digest)) { try store.data(of: digest) }
        #expect(try store.claimWhole(digest) == nil)
        try store.put(data)
        #expect(try store.data(of: digest) == data)
        #expect(!FileManager.default.fileExists(atPath: store.damagedPath(of: digest)))
    }

    @Test func `an upload over damage that nobody saw takes its place`() throws {
        let folder = try TemporaryFolder()
        let store = try BlobStore(root: folder.path, chance: .seeded(1))
        let data = Data("weights".utf8)
        let digest = try store.put(data).digest
        try flip(store.path(of: digest))
        try store.put(data)
        #expect(try store.data(of: digest) == data)
    }

    @Test func `claiming a blob does not ask for another check`() throws {
        let folder = try TemporaryFolder()
        let store = try BlobStore(root: folder.path, chance: .seeded(1))
        let digest = try store.put(Data("weights".utf8)).digest
        #expect(store.claim(digest) == 7)
        #expect(store.isChecked(digest))
        let again = try BlobStore(root: folder.path, chance: .seeded(2))
        #expect(!again.isChecked(digest))
        #expect(try again.check(digest) == 7)
        #expect(again.isChecked(digest))
    }
}
