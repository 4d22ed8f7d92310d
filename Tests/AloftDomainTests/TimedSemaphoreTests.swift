import AloftDomain
import Foundation
import Testing

struct TimedSemaphoreTests {
    @Test func `signals are counted, and a wait takes one`() {
        let semaphore = TimedSemaphore()
        semaphore.signal()
        semaphore.signal()
        semaphore.wait()
        #expect(semaphore.wait(atMost: .seconds(600)))
        #expect(!semaphore.wait(atMost: .zero))
        #expect(!semaphore.wait(atMost: .milliseconds(2)))
    }

    @Test func `who waits is woken by a signal from another thread`() {
        let semaphore = TimedSemaphore()
        let answer = TimedSemaphore()
        Thread.detachNewThread {
            if semaphore.wait(atMost: .seconds(600)) { answer.signal() }
        }
        semaphore.signal()
        #expect(answer.wait(atMost: .seconds(600)))
    }

    /// The clock of this process is not to be set: that no time limit is wall time is held by there being
    /// no such wait in the sources.
    @Test func `no source waits with a time limit of wall time`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Sources")
        let files = try #require(
            FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
        var seen = 0
        for case let file as URL in files where file.pathExtension == "swift" {
            seen += 1
            let text = try String(contentsOf: file, encoding: .utf8)
            for wait in ["wait(timeout:", "wait(until:", "wallDeadline:", ".asyncAfter("] {
                #expect(!text.contains(wait), "\(file.lastPathComponent): \(wait)")
            }
        }
        #expect(seen > 100)
    }
}
