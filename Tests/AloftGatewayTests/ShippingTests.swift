import AloftDomain
import AloftPredictionLog
import AloftTestKit
import AloftWire
import Foundation
import Logging
import Synchronization
import Testing

@testable import AloftGateway

/// Takes pieces of a log as the server does, and fails when told to.
private final class Taker: Sendable {
    private struct State {
        var segments: [Int: Data] = [:]
        var calls = 0
        var failing: Set<Int> = []
        var losesReplies = false
    }

    struct Away: Error {}

    private let state = Mutex(State())

    /// The calls with these numbers fail: before they take anything, or after it.
    func fail(_ calls: Set<Int>, afterTaking: Bool = false) {
        state.withLock {
            $0.failing = calls
            $0.losesReplies = afterTaking
        }
    }

    var send: PredictionShipper.Send {
        { segment, offset, bytes in
            try self.state.withLock { state in
                state.calls += 1
                let isFailing = state.failing.contains(state.calls)
                if isFailing, !state.losesReplies { throw Away() }
                var known = state.segments[segment] ?? Data()
                if Int(offset) <= known.count, Int(offset) + bytes.count > known.count {
                    known.append(bytes.dropFirst(known.count - Int(offset)))
                }
                state.segments[segment] = known
                if isFailing { throw Away() }
                return Int64(known.count)
            }
        }
    }

    var ids: [String] {
        state.withLock { state in
            state.segments.sorted { $0.key < $1.key }.flatMap {
                PredictionLogReader.read($0.value).map(\.id)
            }
        }
    }
}

@Suite struct ShippingTests {
    private func makeFolder() throws -> PredictionLogFolder {
        try PredictionLogFolder(path: try ServingFixtures.makeFolder() + "/log") { "name" }
    }

    private func shipper(_ folder: PredictionLogFolder, _ taker: Taker) -> PredictionShipper {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return PredictionShipper(folder: folder, time: .live, logger: logger, send: taker.send)
    }

    private func writer(
        _ folder: PredictionLogFolder, limitBytes: Int = 1 << 30
    ) -> PredictionLogWriter {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return PredictionLogWriter(folder: folder, limitBytes: limitBytes, logger: logger)
    }

    private func records(_ sequences: ClosedRange<UInt64>, bodyBytes: Int = 10) -> LogBlock {
        let entries = PredictionFixture.compactEntries(
            sequences.map { sequence in
                var fixture = PredictionFixture(sequence: sequence)
                fixture.request = String(repeating: "x", count: bodyBytes)
                return fixture
            })
        let block = LogBlock(capacity: 4096)
        block.room(entries.count).copyBytes(from: entries)
        block.take(entries.count)
        return block
    }

    private func names(_ sequences: ClosedRange<UInt64>) -> [String] {
        sequences.map { PredictionFixture(sequence: $0).id.text }
    }

    @Test func `a segment that is being written is sent as far as it is, and stays`() async throws {
        let (folder, taker) = (try makeFolder(), Taker())
        let writer = writer(folder)
        let shipper = shipper(folder, taker)
        writer.write(records(1...5))
        try await wait { writer.counts.bytesWritten > 0 }
        try await shipper.runOnce()
        #expect(taker.ids == names(1...5))
        #expect(folder.segments().count == 1)
        writer.write(records(6...9))
        await writer.close()
        try await shipper.runOnce()
        #expect(taker.ids == names(1...9))
        #expect(folder.segments().isEmpty)
    }

    @Test(arguments: 1...8, [false, true])
    func `each record arrives once, whichever call fails`(
        call: Int, afterTaking: Bool
    ) async throws {
        let (folder, taker) = (try makeFolder(), Taker())
        for part in 0..<3 as Range<UInt64> {
            let writer = writer(folder)
            writer.write(records(part * 100 + 1...part * 100 + 50))
            await writer.close()
        }
        taker.fail([call], afterTaking: afterTaking)
        // A new process each time: it knows nothing of the one before.
        for _ in 0..<3 { try? await shipper(folder, taker).runOnce() }
        #expect(taker.ids == names(1...50) + names(101...150) + names(201...250))
        #expect(folder.segments().isEmpty)
    }

    @Test func `a number is not used again after its segment went`() async throws {
        let (folder, taker) = (try makeFolder(), Taker())
        for part in 1...3 as ClosedRange<UInt64> {
            let writer = writer(try PredictionLogFolder(path: folder.path) { "other" })
            writer.write(records(part...part))
            await writer.close()
            try await shipper(folder, taker).runOnce()
        }
        #expect(taker.ids == names(1...3))
        #expect(folder.nextNumber == 4)
        #expect(try PredictionLogFolder(path: folder.path) { "other" }.name == "name")
    }

    @Test func `what a successor writes first arrives though its predecessor wrote meanwhile`()
        async throws
    {
        let (folder, taker) = (try makeFolder(), Taker())
        let (earlier, successor) = (writer(folder), writer(folder))
        // The one on its way out takes the number that both have in mind, and the server takes all.
        earlier.write(records(1...2))
        await earlier.close()
        let shipper = shipper(folder, taker)
        try await shipper.runOnce()
        #expect(taker.ids == names(1...2))
        successor.write(records(3...4))
        try await wait { successor.counts.bytesWritten > 0 }
        successor.write(records(5...6))
        await successor.close()
        try await shipper.runOnce()
        #expect(taker.ids == names(1...6))
        #expect(folder.segments().isEmpty)
    }

    @Test func `a number whose segment was sent on is not created again`() async throws {
        let (folder, taker) = (try makeFolder(), Taker())
        let writer = writer(folder)
        writer.write(records(1...2))
        await writer.close()
        try await shipper(folder, taker).runOnce()
        #expect(try folder.create(1) == nil)
        #expect(folder.segments().isEmpty)
        #expect(try folder.create(2) != nil)
    }

    @Test func `what a crash cut off is given up, and counted`() async throws {
        let (folder, taker) = (try makeFolder(), Taker())
        let writer = writer(folder)
        writer.write(records(1...5))
        await writer.close()
        let file = try #require(FileHandle(forWritingAtPath: folder.path(of: 1)))
        try file.seekToEnd()
        try file.write(
            contentsOf: PredictionFixture.compactBlock([PredictionFixture(sequence: 6)])
                .dropLast())
        try file.close()
        let shipper = shipper(folder, taker)
        try await shipper.runOnce()
        #expect(taker.ids == names(1...5))
        #expect(shipper.counts.bytesDamaged > 0)
        #expect(folder.segments().isEmpty)
    }

    @Test func `while the server is away the oldest segments go, and are counted`() async throws {
        let (folder, taker) = (try makeFolder(), Taker())
        let writer = writer(folder, limitBytes: 40 << 20)
        for part in 0..<8 as Range<UInt64> {
            // Some nine mebibytes: two of them end a segment.
            writer.write(records(part * 10 + 1...part * 10 + 9, bodyBytes: 1 << 20))
            try await wait { writer.counts.bytesWritten > part * (9 << 20) }
        }
        await writer.close()
        #expect(writer.counts.segmentsDropped == 2)
        #expect(writer.counts.bytesLost == 0)
        try await shipper(folder, taker).runOnce()
        #expect(taker.ids.count == 36)
        #expect(taker.ids.last == PredictionFixture(sequence: 79).id.text)
    }

    private func wait(until isTrue: () -> Bool) async throws {
        try await eventually("it", asking: .milliseconds(5)) { isTrue() }
    }

    // MARK: Through a gateway

    @Test func `a trace is carried on and logged, and every request has a line`() async throws {
        let folder = try States.folder(with: ["constant-1.onnx"])
        let path = folder + "/access.log"
        let state = States.state(3, [try States.revision(1, "constant-1.onnx", weight: 100)])
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        try await GatewayWorld.run(
            state, folder: folder, adjust: { $0.accessLogPath = path }
        ) { world in
            try await world.waitUntilReady()
            let reply = try await world.post(
                "/v2/models/demo/infer", States.constantBody, headers: "Traceparent: \(trace)\r\n")
            #expect(reply.head.contains("traceparent: 00-0af7651916cd43dd8448eb211c80319c-"))
            #expect(!reply.head.contains("b7ad6b7169203331"))
            let failed = try await world.post(
                "/v2/models/demo/infer", "{", headers: "traceparent: \(trace)\r\n")
            #expect(failed.head.contains("traceparent: 00-0af7651916cd43dd8448eb211c80319c-"))
            _ = try await world.post(
                "/v2/models/demo/infer", States.constantBody, headers: "traceparent: bad\r\n")
        }
        let logged = try PredictionLogReader.read(folder: folder + "/predictions")
        #expect(logged.map(\.trace?.text) == [trace, trace, nil])
        #expect(logged.allSatisfy { $0.form == .json })
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let infer = lines.filter {
            $0.contains(#""path":"\/v2\/models\/demo\/infer""#)
                || $0.contains(#""path":"/v2/models/demo/infer""#)
        }
        #expect(infer.count == 3)
        for line in lines {
            _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
        }
        #expect(infer.first?.contains(#""prediction":"\#(logged[0].id)""#) == true)
        #expect(infer.first?.contains(#""trace":"0af7651916cd43dd8448eb211c80319c""#) == true)
    }

    @Test func `long bodies are cut in the log, and the log says so`() async throws {
        let folder = try States.folder(with: ["constant-1.onnx"])
        let state = States.state(3, [try States.revision(1, "constant-1.onnx", weight: 100)])
        try await GatewayWorld.run(
            state, folder: folder, adjust: { $0.logBodyLimitBytes = 10 }
        ) { world in
            try await world.waitUntilReady()
            #expect(
                try await world.post("/v2/models/demo/infer", States.constantBody).status == 200)
        }
        let logged = try #require(
            try PredictionLogReader.read(folder: folder + "/predictions").first)
        #expect(logged.request == Data(States.constantBody.utf8.prefix(10)))
        #expect(logged.requestBytes == States.constantBody.utf8.count)
        #expect(logged.isRequestCut)
        #expect(logged.isResponseCut)
    }
}
