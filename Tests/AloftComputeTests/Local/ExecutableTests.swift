import AloftCompute
import AloftTestKit
import Foundation
import Testing

struct ExecutableTests {
    @Test func `a folder is no program, whether it is named whole or looked for`() throws {
        let files = try TemporaryFolder()
        let folder = files.path + "/uv"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false)
        #expect(Executable.find(folder, path: nil) == nil)
        #expect(Executable.find("uv", path: files.path) == nil)
    }

    @Test func `a file that may be run is found by its path and by its name`() throws {
        let files = try TemporaryFolder()
        let program = files.path + "/uv"
        let isMade = FileManager.default.createFile(
            atPath: program, contents: Data("#!/bin/sh\n".utf8),
            attributes: [.posixPermissions: 0o755])
        #expect(isMade)
        #expect(Executable.find(program, path: nil) == program)
        #expect(Executable.find("uv", path: "/nowhere:" + files.path) == program)
    }
}
