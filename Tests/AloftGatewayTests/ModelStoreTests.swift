import AloftClient
import AloftDomain
import AloftTestKit
import AloftWire
import Foundation
import Testing

@testable import AloftGateway

@Suite struct ModelStoreTests {
    /// Lives as long as the process, as the program's does.
    private static let http = ServerClient.makeHTTPClient()

    @Test func `a model that is live twice is fetched once and is whole for both`() async throws {
        let state = States.state(1, [try States.revision(1, "cancer-gbdt.onnx", weight: 100)])
        let stub = try ServerStub(state, models: ["cancer-gbdt.onnx"])
        let servable = state.endpoints[0].revisions[0].servable
        try await stub.run { url in
            let store = try ModelStore(
                folder: try ServingFixtures.makeFolder(),
                client: ServerClient(server: url, token: nil, http: Self.http))
            let paths = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<20 { group.addTask { try await store.path(of: servable) } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(paths.count == 1)
            #expect(stub.downloads == [servable.digest.hex: 1])
            let path = try #require(paths.first)
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64
            #expect(size == servable.sizeBytes)
            let names = try FileManager.default.contentsOfDirectory(
                atPath: store.place(of: servable.digest))
            #expect(names == ["model.onnx"])
        }
    }

    @Test func `what a process that ended had begun to fetch is removed`() async throws {
        let state = States.state(1, [try States.revision(1, "cancer-logreg.onnx", weight: 100)])
        let stub = try ServerStub(state, models: ["cancer-logreg.onnx"])
        let servable = state.endpoints[0].revisions[0].servable
        try await stub.run { url in
            let store = try ModelStore(
                folder: try ServingFixtures.makeFolder(),
                client: ServerClient(server: url, token: nil, http: Self.http))
            let place = store.place(of: servable.digest)
            try FileManager.default.createDirectory(
                atPath: place, withIntermediateDirectories: true)
            // Process identifiers end at 2^22.
            for name in ["model.onnx.part", "model.onnx.part-99999999"] {
                try Data("half".utf8).write(to: URL(fileURLWithPath: "\(place)/\(name)"))
            }
            // One that lives: process 1 is always there.
            try Data("half".utf8).write(to: URL(fileURLWithPath: "\(place)/model.onnx.part-1"))
            _ = try await store.path(of: servable)
            let names = try FileManager.default.contentsOfDirectory(atPath: place)
            #expect(names.sorted() == ["model.onnx", "model.onnx.part-1"])
        }
    }

    @Test func `work under way is shared, what failed is tried anew`() async throws {
        struct Failed: Error {}
        let work = SharedWork<String>()
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        async let first: Void = work.once(for: "a") { for await _ in gate { break } }
        async let other: Void = work.once(for: "b") {}
        try await other
        open.yield()
        try await first
        await #expect(throws: Failed.self) { try await work.once(for: "a") { throw Failed() } }
        try await work.once(for: "a") {}
    }
}
