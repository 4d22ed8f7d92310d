import AloftArtifacts
import AloftDomain
import AloftTestKit
import Foundation
import Testing

struct ArtifactFolderTests {
    @Test func `a file lands whole, is listed by name and can be removed`() throws {
        let folder = try TemporaryFolder()
        let artifacts = try ArtifactFolder(root: folder.path, chance: .seeded(1))
        try put("hello", "0/run/artifacts/a b/é#%.txt", artifacts)
        try put("", "0/run/artifacts/empty", artifacts)
        let entries = try artifacts.list(ArtifactPath("0/run/artifacts"))
        #expect(entries.map(\.name) == ["a b", "empty"])
        #expect(entries.map(\.isFolder) == [true, false])
        let file = try artifacts.file(at: ArtifactPath("0/run/artifacts/a b/é#%.txt"))
        #expect(file.sizeBytes == 5)
        try artifacts.remove(ArtifactPath("0/run"))
        try artifacts.remove(ArtifactPath("0/run"))
        #expect(try artifacts.list(ArtifactPath("0/run")).isEmpty)
    }

    @Test func `a file in the way of a folder is a refusal`() throws {
        let folder = try TemporaryFolder()
        let artifacts = try ArtifactFolder(root: folder.path, chance: .seeded(1))
        try put("x", "a", artifacts)
        #expect(throws: ArtifactError.inTheWay("a/b/c")) { try put("y", "a/b/c", artifacts) }
        try put("x", "d/e", artifacts)
        #expect(throws: ArtifactError.inTheWay("d")) { try put("y", "d", artifacts) }
    }

    @Test(arguments: [
        "../a", "a/../../b", "/etc/passwd", "..", "a/..", "C:/x", "a\\..\\b", "%2e%2e/a",
        "a/%2e%2e/b", "%252e%252e/a", "a/\u{0}b", "%2fetc/passwd",
        String(repeating: "a/", count: 200), String(repeating: "a", count: 256),
    ])
    func `a path that leaves its folder is refused`(path: String) {
        #expect(throws: ArtifactError.self) { try ArtifactPath(path) }
    }

    @Test(arguments: ["a", "a/b.c", "a b/100%", "ü/é", "a/./b", "a//b", "..a/b..", "%41"])
    func `ordinary paths are taken`(path: String) throws { _ = try ArtifactPath(path) }

    private func put(_ text: String, _ path: String, _ artifacts: ArtifactFolder) throws {
        let file = try artifacts.begin()
        try Data(text.utf8).withUnsafeBytes { try file.write($0) }
        try artifacts.keep(file, at: ArtifactPath(path))
    }
}
