import AloftDomain
import AloftInference
import CAllocations
import Foundation
import Testing

/// What any reader takes of memory for a body, whatever the body says: eight times its bytes and a mebibyte.
@Suite struct MemoryLawTests {
    private static func limit(_ bytes: Int) -> Int { 8 * bytes + 1 << 20 }

    /// Reads a body, and holds what that took against the law. What comes of it does not matter: a trap ends
    /// the tests.
    private func hold(
        _ body: [UInt8], _ what: String, _ read: (UnsafeRawBufferPointer) throws -> Void
    ) {
        let peak = body.withUnsafeBytes { bytes in
            aloft_allocations_begin()
            _ = try? read(bytes)
            return aloft_allocations_end()
        }
        #expect(peak <= Self.limit(body.count), "\(what): \(body.count) bytes took \(peak)")
    }

    private func score(_ body: [UInt8], _ world: ReaderWorld, isCSV: Bool, _ what: String) {
        hold(body, "\(what), \(world.name)") { bytes in
            let request = InferenceRequest()
            try ScoringReader.read(
                bytes, isCSV: isCSV, signature: world.signature, columns: world.columns,
                into: request)
        }
    }

    private func infer(_ body: [UInt8], _ world: ReaderWorld, json: Int? = nil, _ what: String) {
        hold(body, "\(what), \(world.name)") { bytes in
            let request = InferenceRequest()
            try InferRequestReader.read(
                bytes, jsonLength: json, signature: world.signature, into: request)
        }
    }

    private func message(_ body: [UInt8], _ world: ReaderWorld, _ what: String) {
        hold(body, "\(what), \(world.name)") { bytes in
            _ = try InferMessageReader.target(bytes)
            _ = try InferMessageReader.parameter(bytes, name: "segment")
        }
        hold(body, "\(what), \(world.name)") { bytes in
            let request = InferenceRequest()
            try InferMessageReader.read(bytes, signature: world.signature, into: request)
        }
    }

    @Test(arguments: ReaderWorld.all)
    func `a table is read within the law, whatever it says`(world: ReaderWorld) {
        for (what, body) in Adversary.tables { score(body, world, isCSV: false, what) }
        for (what, body) in Adversary.csv { score(body, world, isCSV: true, what) }
    }

    @Test(arguments: ReaderWorld.all)
    func `a request for predictions is read within the law, whatever it says`(world: ReaderWorld) {
        for (what, body) in Adversary.requests { infer(body, world, what) }
        for (what, body) in Adversary.tables { infer(body, world, what) }
        for (what, body) in Adversary.messages { message(body, world, what) }
    }

    @Test(arguments: 0..<200)
    func `bodies that were changed at random keep the law`(seed: Int) {
        var chance = SplitMix64(seed: UInt64(seed))
        let worlds = ReaderWorld.all
        let world = worlds[seed % worlds.count]
        let all = Adversary.good
        let body = Adversary.changed(all[seed / worlds.count % all.count], &chance)
        score(body, world, isCSV: false, "seed \(seed)")
        score(body, world, isCSV: true, "seed \(seed)")
        infer(body, world, "seed \(seed)")
        infer(body, world, json: Int(chance.next() % UInt64(body.count + 1)), "seed \(seed)")
        message(body, world, "seed \(seed)")
    }

    @Test func `a table of good rows keeps the law too, and comes whole`() throws {
        let rows = (0..<20_000).map { "[\($0 % 10),1,2]" }.joined(separator: ",")
        let text = #"{"dataframe_split":{"columns":["b","x","a"],"data":[\#(rows)]}}"#
        let body = Array(text.utf8)
        score(body, .matrix, isCSV: false, "rows")
        let request = InferenceRequest()
        try body.withUnsafeBytes {
            try ScoringReader.read(
                $0, isCSV: false, signature: ReaderWorld.matrix.signature, columns: ["a", "b"],
                into: request)
        }
        let entry = try #require(request.tensors.entries.first)
        let values = request.tensors.bytes(entry).bindMemory(to: Float.self)
        #expect(values.count == 40_000)
        #expect(values[14] == 2 && values[15] == 7)
    }

    @Test func `counting sees what is taken`() {
        guard aloft_allocations_counted() else { return }
        aloft_allocations_begin()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 64)
        memory.storeBytes(of: 1, as: UInt8.self)
        memory.deallocate()
        #expect(aloft_allocations_end() >= 1 << 20)
    }
}
