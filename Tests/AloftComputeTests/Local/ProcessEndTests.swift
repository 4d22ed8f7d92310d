import AloftDomain
import AloftProcess
import AloftTestKit
import Foundation
import Testing

@Suite struct ProcessEndTests {
    @Test func `the end of a process is told, without a look at the clock`() async throws {
        let process = try Spawn(
            executable: "/bin/sleep", arguments: ["600"], variables: [:]
        ).start()
        let time = ManualTime()
        // Time stands still: only the end of the process can end this.
        async let ended: Void = ProcessEnd.wait(
            for: process, upTo: .seconds(1), clock: time.source.clock)
        await time.waitForSleepers()
        kill(process, SIGKILL)
        await ended
        var status: Int32 = 0
        #expect(waitpid(process, &status, 0) == process)
    }

    @Test func `it is waited for no longer than said`() async throws {
        let process = try Spawn(
            executable: "/bin/sleep", arguments: ["600"], variables: [:]
        ).start()
        let time = ManualTime()
        async let ended: Void = ProcessEnd.wait(
            for: process, upTo: .seconds(1), clock: time.source.clock)
        await time.waitForSleepers()
        time.advance(by: .seconds(1))
        await ended
        #expect(kill(process, 0) == 0)
        kill(process, SIGKILL)
        var status: Int32 = 0
        #expect(waitpid(process, &status, 0) == process)
    }
}
