import AloftArtifacts
import AloftDomain
import AloftTestKit
import Foundation
import Testing

struct BlobStoreTests {
    @Test func `a blob is found under its digest, and storing it twice keeps one`() throws {
        let folder = try TemporaryFolder()
        let store = try BlobStore(root: folder.path + "/blobs", chance: .seeded(1))
        let data = Data("one wing".utf8)
        let stored = try store.put(data)
        #expect(try store.put(data) == stored)
        #expect(stored.sizeBytes == 8)
        #expect(try store.data(of: stored.digest) == data)
        #expect(try store.list() == [stored])
    }

    @Test func `bytes of another digest are refused and leave nothing`() throws {
        let folder = try TemporaryFolder()
        let store = try BlobStore(root: folder.path + "/blobs", chance: .seeded(1))
        let promised = ContentDigest(of: Data("a".utf8))
        let actual = ContentDigest(of: Data("b".utf8))
        #expect(throws: ArtifactError.digestMismatch(expected: promised, actual: actual)) {
            try store.put(Data("b".utf8), expected: promised)
        }
        #expect(try store.list().isEmpty)
        #expect(!store.contains(actual))
    }

    @Test func `what was half-written is cleared at the next start`() throws {
        let folder = try TemporaryFolder()
        let store = try BlobStore(root: folder.path, chance: .seeded(1))
        let file = try store.begin()
        try Data("half".utf8).withUnsafeBytes { try file.write($0) }
        let incoming = folder.path + "/incoming"
        #expect(try FileManager.default.contentsOfDirectory(atPath: incoming).count == 1)
        _ = try BlobStore(root: folder.path, chance: .seeded(2))
        #expect(try FileManager.default.contentsOfDirectory(atPath: incoming).isEmpty)
    }
}
