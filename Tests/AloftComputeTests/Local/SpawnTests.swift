import AloftProcess
import AloftTestKit
import Foundation
import Testing

@Suite struct SpawnTests {
    @Test func `a program's status and output are told, and of a signal its number`() throws {
        let folder = try TemporaryFolder()
        let log = folder.path + "/log"
        func run(_ command: String) throws -> Int32 {
            try Spawn(
                executable: "/bin/sh", arguments: ["-c", command], variables: ["WORD": "hello"],
                output: log
            ).run()
        }
        #expect(try run("echo $WORD; echo error >&2; exit 7") == 7)
        #expect(try run("kill -9 $$") == 137)
        #expect(try String(contentsOfFile: log, encoding: .utf8) == "hello\nerror\n")
    }

    @Test func `no descriptor of ours reaches it, however many there are`() throws {
        let folder = try TemporaryFolder()
        let log = folder.path + "/log"
        let ours = (0..<200).map { _ in open("/dev/null", O_RDONLY) }
        defer { for descriptor in ours { close(descriptor) } }
        let list = Spawn(
            executable: "/bin/ls", arguments: ["/proc/self/fd"], variables: [:], output: log)
        #expect(try list.run() == 0)
        // The standard three, and that of the listing itself.
        let names = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        #expect(names == ["0", "1", "2", "3"])
    }

    @Test func `a program that is not there is named`() {
        let error = #expect(throws: SpawnFailure.self) {
            try Spawn(executable: "/nowhere/python", arguments: [], variables: [:]).run()
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("/nowhere/python: starting it: No such"))
    }
}
