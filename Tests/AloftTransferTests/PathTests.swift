import AloftDomain
import AloftTestKit
import Foundation
import Testing

@testable import AloftTransfer

/// Names and paths as other trackers give them.
@Suite struct PathTests {
    @Test(arguments: [
        ("a/b.txt", "a/b.txt"), ("/a//b/", "a/b"), ("ä/\u{1F600}", "ä/\u{1F600}"), ("...", "..."),
        ("a/..b", "a/..b"), ("e\u{301}", "e\u{301}"), ("a/\u{301}b", "a/\u{301}b"),
    ])
    func `a path that stays in its folder is kept, without empty parts`(text: String, kept: String)
    {
        #expect(SafePath.checked(text).map { Array($0.utf8) } == Array(kept.utf8))
    }

    @Test(arguments: [
        "", "/", "..", "a/..", "../a", "a/../b", ".", "a/./b", "a\\b", "a\u{0}b", "//",
        String(repeating: "a/", count: 101), String(repeating: "x", count: 256),
        String(repeating: "ä", count: 128),
    ])
    func `a path that leaves its folder or is none is not`(text: String) {
        #expect(SafePath.checked(text) == nil)
        #expect(throws: SourceError.self) { try SafePath.require(text) }
    }

    @Test(arguments: [
        ("a/b", "a/b"), ("a b/ä", "a%20b/%C3%A4"), ("a%2F/?#", "a%252F/%3F%23"), ("-._~", "-._~"),
    ])
    func `a path in a URL keeps its slashes and nothing else`(path: String, encoded: String) {
        #expect(SafePath.encoded(path) == encoded)
    }

    @Test(arguments: [
        ("mlflow-artifacts:/1/2", "1/2"), ("mlflow-artifacts://host:5000/1/2", "1/2"),
        ("mlflow-artifacts:1/2", "1/2"), ("mlflow-artifacts:/", ""),
    ])
    func `a place behind a proxy is known by its path`(uri: String, path: String) {
        #expect(ArtifactURI.proxied(uri) == path)
    }

    @Test(arguments: [
        ("/a/b", "/a/b"), ("file:///a/b", "/a/b"), ("file:/a%20b", "/a b"),
        ("mlruns/0", "mlruns/0"),
        ("file://host/a", "/a"),
    ])
    func `a place on this machine is known by its path`(uri: String, path: String) {
        #expect(ArtifactURI.local(uri) == path)
        #expect(ArtifactURI.proxied(uri) == nil)
    }

    @Test(arguments: ["s3://bucket/a", "gs://b", "dbfs:/a", "https://host/a"])
    func `a place elsewhere is neither`(uri: String) {
        #expect(ArtifactURI.local(uri) == nil)
        #expect(ArtifactURI.proxied(uri) == nil)
    }
}

/// Names of files for names of anything.
@Suite struct FileNameTests {
    @Test(arguments: [
        ("val.loss", "val.loss"), ("a/b", "a%2Fb"), ("ä", "%C3%A4"), (".hidden", "%2Ehidden"),
        ("..", "%2E."), ("a b", "a%20b"), ("\n", "%0A"), ("100%", "100%25"), ("A-z_0.9", "A-z_0.9"),
    ])
    func `what is not plain is encoded`(name: String, file: String) {
        #expect(FileName.of(name) == file)
    }

    /// Names that differ in nothing that is seen, or in what is cut off.
    @Test func `different names are different files`() {
        let long = String(repeating: "x", count: 200)
        let names = [
            "", "a", "A", "a%2Fb", "a/b", "é", "e\u{301}", "a.partial", "a.partial.partial", long,
            long + "y", long + "z", String(repeating: "ä", count: 60), "~", "a~b", ".", "..",
        ]
        let files = names.map { FileName.of($0) }
        #expect(Set(files.map { Array($0.utf8) }).count == names.count)
        for file in files {
            #expect(!file.isEmpty && file.utf8.count <= 150 && !file.hasSuffix(".partial"))
            #expect(SafePath.checked(file) == file)
        }
    }

    @Test(arguments: [
        ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"it\"", "\"say \"\"it\"\"\""),
        ("a\nb", "\"a\nb\""), ("a\r\nb", "\"a\r\nb\""), ("", ""), ("e\u{301},", "\"e\u{301},\""),
        (",\u{301}", "\",\u{301}\""),
    ])
    func `a cell is quoted where it must be`(text: String, cell: String) {
        #expect(Array(CSV.cell(text).utf8) == Array(cell.utf8))
    }

    @Test(arguments: [
        (0.1, "0.1"), (1e300, "1e+300"), (.nan, "NaN"), (.infinity, "Infinity"),
        (-.infinity, "-Infinity"), (-0.0, "-0.0"), (3, "3.0"),
    ])
    func `a number is the shortest that comes back`(value: Double, text: String) {
        #expect(CSV.number(value) == text)
    }
}

/// Files that land whole, and never through a link.
@Suite struct FileTreeTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func text(_ name: String) throws -> String {
        try String(contentsOf: folder.url(name), encoding: .utf8)
    }

    @Test func `a file is there whole, over what was there, and nothing beside it`() throws {
        let path = folder.path + "/a"
        try FileTree.write(Data("one".utf8), to: path)
        // What a stopped try left.
        try Data("half".utf8).write(to: folder.url("a.partial"))
        try FileTree.write(Data("two".utf8), to: path)
        #expect(try text("a") == "two")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a"])
    }

    @Test func `a link is replaced, and what it leads to stays`() throws {
        try Data("precious".utf8).write(to: folder.url("precious"))
        for name in ["a", "a.partial"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.path + "/" + name, withDestinationPath: folder.path + "/precious")
        }
        try FileTree.write(Data("new".utf8), to: folder.path + "/a")
        #expect(try text("precious") == "precious")
        #expect(try text("a") == "new")
    }

    @Test func `no folder is made through a link or a file`() throws {
        try FileTree.makeFolder("deep/er", in: folder.path)
        try FileTree.makeFolder("deep/er", in: folder.path)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/link", withDestinationPath: folder.path + "/deep")
        try Data().write(to: folder.url("file"))
        for below in ["link/x", "file/x"] {
            let error = #expect(throws: SourceError.self) {
                try FileTree.makeFolder(below, in: folder.path)
            }
            #expect(error?.message.contains("nothing is written through it") == true)
            #expect(error?.endsAll == false)
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/deep/x"))
    }

    @Test func `a folder takes the place of the old one when it is filled`() async throws {
        struct Stopped: Error {}
        let path = folder.path + "/run"
        try await FileTree.replace(path) { try FileTree.write(Data("1".utf8), to: $0 + "/one") }
        await #expect(throws: Stopped.self) {
            try await FileTree.replace(path) { partial in
                try FileTree.write(Data("2".utf8), to: partial + "/two")
                throw Stopped()
            }
        }
        #expect(try text("run/one") == "1")
        // The next try begins anew.
        try await FileTree.replace(path) { try FileTree.write(Data("3".utf8), to: $0 + "/three") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["three"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["run"])
    }
}
