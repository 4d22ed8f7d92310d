import AloftDomain
import AloftTestKit
import AsyncHTTPClient
import Foundation
import NIOCore
import Testing

@testable import AloftClient

/// Files on their way to a server.
@Suite(.timeLimit(.minutes(20))) struct UploadTests {
    private static let http = ServerClient.makeHTTPClient()

    private static func client(_ url: String) -> ServerClient {
        ServerClient(server: url, token: nil, http: http)
    }

    private func file(_ folder: TemporaryFolder, byteCount: Int) throws -> (
        path: String, data: Data
    ) {
        let data = Data((0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        try data.write(to: folder.url("file"))
        return (folder.path + "/file", data)
    }

    @Test(arguments: [0, 1, 1 << 20, (1 << 20) + 1, 3 << 20])
    func `a file is read in pieces of a mebibyte`(byteCount: Int) async throws {
        let folder = try TemporaryFolder()
        let (path, data) = try file(folder, byteCount: byteCount)
        var pieces: [Int] = []
        var read = Data()
        for try await piece in try FileChunks(path: path) {
            pieces.append(piece.readableBytes)
            read.append(contentsOf: piece.readableBytesView)
        }
        #expect(read == data)
        #expect(pieces.allSatisfy { $0 <= 1 << 20 && $0 > 0 })
        #expect(pieces.count == (byteCount + (1 << 20) - 1) >> 20)
    }

    /// A request that is sent again reads its file again.
    @Test func `a file is read from its start each time`() async throws {
        let folder = try TemporaryFolder()
        let chunks = try FileChunks(path: try file(folder, byteCount: 10).path)
        for _ in 0..<2 {
            var count = 0
            for try await piece in chunks { count += piece.readableBytes }
            #expect(count == 10)
        }
    }

    @Test func `a file that is not there is said before anything is sent`() async throws {
        let stub = StubServer { _ in .init("{}") }
        let digest = try #require(ContentDigest(hex: String(repeating: "ab", count: 32)))
        _ = try await stub.run { url in
            await #expect(throws: CocoaError.self) {
                try await Self.client(url).putBlob(
                    digest, fromFile: "/no/such/file", sizeBytes: 1)
            }
        }
        #expect(stub.asked.isEmpty)
    }

    @Test func `a blob arrives whole, at its digest`() async throws {
        let folder = try TemporaryFolder()
        let (path, data) = try file(folder, byteCount: 3_000_000)
        let digest = try #require(ContentDigest(hex: String(repeating: "ab", count: 32)))
        let stub = StubServer { _ in .init("{}") }
        _ = try await stub.run { url in
            try await Self.client(url).putBlob(
                digest, fromFile: path, sizeBytes: Int64(data.count))
            return ""
        }
        #expect(stub.asked.map(\.path) == ["/api/v1/blobs/\(digest.hex)"])
        #expect(stub.asked.first?.contentLength == data.count)
        #expect(stub.asked.first?.body == data)
    }

    @Test(arguments: [
        ("mlflow-artifacts:/1/run/artifacts", "model.onnx", "1/run/artifacts/model.onnx"),
        ("mlflow-artifacts:/1/a b", "ä {c1}/x", "1/a%20b/%C3%A4%20%7Bc1%7D%2Fx"),
    ])
    func `an artifact goes where its folder says`(uri: String, name: String, path: String)
        async throws
    {
        let folder = try TemporaryFolder()
        let (source, data) = try file(folder, byteCount: 5)
        let stub = StubServer { _ in .init("{}") }
        _ = try await stub.run { url in
            try await Self.client(url).putArtifact(
                name, in: uri, fromFile: source, sizeBytes: Int64(data.count))
            return ""
        }
        #expect(
            stub.asked.map(\.path) == ["/api/2.0/mlflow-artifacts/artifacts/" + path])
        #expect(stub.asked.first?.body == data)
    }

    @Test func `what comes down comes in parts and whole`() async throws {
        let text = String(repeating: "0123456789", count: 300_000)
        let whole = try await StubServer { _ in .init(text) }.run { url in
            var data = Data()
            try await Self.client(url).download(path: "/file/{n}", parameters: ["n": "a b"]) {
                data.append($0)
            }
            return data
        }
        #expect(whole == Data(text.utf8))
    }
}

/// Errors of others in a person's words.
@Suite struct ErrorWordsTests {
    private struct Nested: Decodable {
        struct Item: Decodable { var name: String }
        var items: [Item]
    }

    @Test(arguments: [
        (#"{"items": [{"name": "a"}, {}]}"#, "items.[1].name is missing"),
        (#"{"items": [{"name": 5}]}"#, "items.[0].name is not as expected"),
        (#"{"items": null}"#, "items is not as expected"), ("{}", "items is missing"),
        ("[", "it is not the JSON that was expected"),
    ])
    func `what is wrong with what was read is said by its place`(json: String, words: String) {
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(Nested.self, from: Data(json.utf8))
        }
        #expect(error.map { ErrorWords.of($0) } == words)
    }

    @Test func `an error that says nothing of itself has no words`() {
        struct Silent: Error {}
        struct Loud: Error, CustomStringConvertible { var description: String { "so it is" } }
        #expect(ErrorWords.own(Silent()) == nil)
        #expect(ErrorWords.own(Loud()) == "so it is")
        #expect(ErrorWords.own(CocoaError(.fileReadNoSuchFile))?.isEmpty == false)
    }
}
