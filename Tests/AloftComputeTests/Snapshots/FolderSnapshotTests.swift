import AloftDomain
import AloftProcess
import AloftTestKit
import Foundation
import Testing

@testable import AloftCompute

struct FolderSnapshotTests {
    func write(_ files: [String: String], in folder: TemporaryFolder) throws {
        for (name, text) in files {
            let url = folder.url("p/" + name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
    }

    func pack(_ folder: TemporaryFolder, limit: Int64 = 1 << 30) throws -> FolderSnapshot {
        try FolderSnapshot.pack(
            folder: folder.path + "/p", to: folder.path + "/\(UUID()).tar", limitBytes: limit)
    }

    func run(_ program: String, _ arguments: [String]) throws -> String {
        let output = try TemporaryFolder()
        let log = output.path + "/output"
        let spawn = Spawn(executable: program, arguments: arguments, variables: [:], output: log)
        #expect(try spawn.run() == 0)
        return try String(contentsOfFile: log, encoding: .utf8)
    }

    @Test func `tar unpacks what was packed`() throws {
        let folder = try TemporaryFolder()
        let long = String(repeating: "d/", count: 60) + "deep.txt"
        try write(
            [
                "aloft.yaml": "project: p", "src/a.py": "print(1)", "empty": "", "ünï": "x",
                long: "deep",
            ],
            in: folder)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: folder.path + "/p/src/a.py")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/p/src/link", withDestinationPath: "../aloft.yaml")
        let snapshot = try pack(folder)
        #expect(snapshot.fileCount == 6)
        try FileManager.default.createDirectory(
            atPath: folder.path + "/out", withIntermediateDirectories: true)
        _ = try run("/bin/tar", ["-xf", snapshot.path, "-C", folder.path + "/out"])
        #expect(try run("/usr/bin/diff", ["-r", folder.path + "/p", folder.path + "/out"]) == "")
        #expect(try String(contentsOf: folder.url("out/src/link"), encoding: .utf8) == "project: p")
        #expect(FileManager.default.isExecutableFile(atPath: folder.path + "/out/src/a.py"))
        let sum = try run("/usr/bin/sha256sum", [snapshot.path])
        #expect(sum.hasPrefix(snapshot.digest.hex))
    }

    @Test func `the same content has the same digest`() throws {
        let files = ["b.py": "2", "a/c.py": "3", "a.py": "1"]
        let first = try TemporaryFolder()
        try write(files, in: first)
        let second = try TemporaryFolder()
        for name in files.keys.sorted() { try write([name: files[name] ?? ""], in: second) }
        #expect(try pack(first).digest == pack(second).digest)
        try write(["a.py": "other"], in: second)
        #expect(try pack(first).digest != pack(second).digest)
    }

    @Test func `what ignore files name is left out`() throws {
        let folder = try TemporaryFolder()
        try write(
            [
                ".gitignore": "data/\n*.log\n/top.txt\n# remark\n!keep.log\nbuild/**/x.o\n",
                ".aloftignore": "!data/small/\n*.bin\n", "a.py": "", "x.log": "", "keep.log": "",
                "top.txt": "", "sub/top.txt": "", "data/big.csv": "", "build/one/two/x.o": "",
                "build/x.c": "", "m.bin": "", "__pycache__/a.pyc": "", ".venv/bin/python": "",
                ".git/HEAD": "", "sub/.gitignore": "secret\n", "sub/secret": "", "secret": "",
            ], in: folder)
        let names = try run("/bin/tar", ["-tf", try pack(folder).path])
            .split(separator: "\n").filter { !$0.hasSuffix("/") }.sorted()
        #expect(
            names == [
                ".aloftignore", ".gitignore", "a.py", "build/x.c", "keep.log", "secret",
                "sub/.gitignore", "sub/top.txt",
            ])
    }

    @Test func `a link out of the folder and a folder too large are refused`() throws {
        let folder = try TemporaryFolder()
        try write(["a.py": String(repeating: "x", count: 5000)], in: folder)
        #expect(throws: FolderSnapshot.Failure.self) { try pack(folder, limit: 4096) }
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/p/out", withDestinationPath: "../secret")
        #expect(throws: FolderSnapshot.Failure.linkOutside(path: "out", target: "../secret")) {
            try pack(folder)
        }
    }
}
