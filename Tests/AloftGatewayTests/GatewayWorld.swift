import AloftClient
import AloftDomain
import AloftTestKit
import AloftWire
import Crypto
import Foundation
import Logging
import NIOCore
import Testing

@testable import AloftGateway

/// A gateway on a free port, with a folder of its own and a server that does not answer unless one is
/// given.
struct GatewayWorld: Sendable {
    let folder: String
    let address: ListenAddress

    static func run(
        _ state: DesiredState?, server: String = "http://127.0.0.1:1", folder: String? = nil,
        adjust: (inout GatewayConfiguration) -> Void = { _ in },
        tokens: TokenAuthenticator? = nil,
        _ body: @Sendable @escaping (GatewayWorld) async throws -> Void
    ) async throws {
        let folder = try folder ?? ServingFixtures.makeFolder()
        let gateway = try makeGateway(
            state, server: server, folder: folder, adjust: adjust, tokens: tokens)
        let (addresses, bound) = AsyncStream.makeStream(of: ListenAddress.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await gateway.run { address in
                    bound.yield(address)
                    bound.finish()
                }
            }
            group.addTask {
                for await address in addresses {
                    try await body(GatewayWorld(folder: folder, address: address))
                }
            }
            // Whichever ends first: the body, or a gateway that could not start.
            try await group.next()
            bound.finish()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    static func makeGateway(
        _ state: DesiredState?, server: String = "http://127.0.0.1:1", folder: String,
        listen: ListenAddress = ListenAddress(host: "127.0.0.1", port: 0),
        adjust: (inout GatewayConfiguration) -> Void = { _ in }, tokens: TokenAuthenticator? = nil
    ) throws -> AloftGateway.Gateway {
        if let state {
            try JSONEncoder().encode(state)
                .write(to: URL(fileURLWithPath: folder + "/desired-state.json"))
        }
        var configuration = GatewayConfiguration(
            listen: listen, folder: folder, onnxLibraryPath: try ServingFixtures.runtimePath())
        // What the tests write by hand says so.
        configuration.hostNames = ["x"]
        adjust(&configuration)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return AloftGateway.Gateway(
            configuration: configuration,
            client: ServerClient(
                server: server, token: nil, http: ServerClient.makeHTTPClient()),
            tokens: tokens, python: nil, time: .live, chance: .live(), logger: logger)
    }

    /// Waits until `/v2/health/ready` says so.
    func waitUntilReady() async throws {
        try await eventually("the gateway to be ready") {
            try await get("/v2/health/ready").status == 200
        }
    }

    /// Waits for every one of these versions: an endpoint is ready when one of them can answer.
    func waitUntilReady(_ endpoint: String, versions: [Int]) async throws {
        for version in versions {
            let path = "/v2/models/\(endpoint)/versions/\(version)/ready"
            try await eventually(path) { try await get(path).status == 200 }
        }
        try await waitUntilReady()
    }

    func get(_ path: String, headers: String = "") async throws -> HTTPReply {
        try await send("GET \(path) HTTP/1.1\r\nhost: x\r\n\(headers)\r\n")
    }

    func post(
        _ path: String, _ body: String, headers: String = ""
    ) async throws -> HTTPReply {
        try await send(
            "POST \(path) HTTP/1.1\r\nhost: x\r\ncontent-length: \(body.utf8.count)\r\n"
                + "\(headers)\r\n\(body)")
    }

    /// One request on a connection of its own.
    func send(_ text: String) async throws -> HTTPReply {
        let address = address
        return try await RawConnection.offPool {
            let connection = try RawConnection(address)
            try connection.write(text)
            return try connection.readReply()
        }
    }
}

/// Desired states over the fixtures' models.
enum States {
    static func revision(
        _ number: Int, _ model: String, weight: Double, version: String? = nil,
        manifest: ServableManifest? = nil
    ) throws -> ServedRevision {
        let data = try Data(contentsOf: URL(fileURLWithPath: try ServingFixtures.path(model)))
        return ServedRevision(
            id: RevisionID("rev-\(number)-\(model)"), number: number, weightPercent: weight,
            modelName: "model", modelVersion: version ?? "\(number)",
            servable: ServableReference(
                digest: ContentDigest(bytes: SHA256.hash(data: data)),
                sizeBytes: Int64(data.count),
                manifest: manifest
                    ?? ServableManifest(runtime: .onnx, inputs: [], outputs: [])))
    }

    static func state(
        _ revision: Int, _ revisions: [ServedRevision], name: String = "demo"
    ) -> DesiredState {
        DesiredState(
            revision: revision,
            endpoints: [
                ServedEndpoint(
                    name: name, project: .default, deployment: name, environment: "production",
                    revisions: revisions, logSampling: 1)
            ])
    }

    /// A gateway's folder that holds these models already.
    static func folder(with models: [String]) throws -> String {
        let folder = try ServingFixtures.makeFolder()
        for model in models {
            let data = try Data(contentsOf: URL(fileURLWithPath: try ServingFixtures.path(model)))
            let digest = ContentDigest(bytes: SHA256.hash(data: data)).hex
            try FileManager.default.createDirectory(
                atPath: folder + "/models/" + digest, withIntermediateDirectories: true)
            try data.write(to: URL(fileURLWithPath: folder + "/models/\(digest)/model.onnx"))
        }
        return folder
    }

    static let constantBody =
        #"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#
}

struct HTTPReply: Sendable {
    let status: Int
    let head: String
    let body: String
}

/// A blocking socket, for clients that misbehave.
// @unchecked: used by one thread at a time; `offPool` keeps it off Swift's own threads.
final class RawConnection: @unchecked Sendable {
    private let descriptor: Int32
    private var buffered: [UInt8] = []

    struct Failure: Error { let text: String }

    static func offPool<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
        }
    }

    init(_ address: ListenAddress) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = in_port_t(address.port).bigEndian
        target.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure(text: "connect: \(errno)") }
    }

    deinit { close(descriptor) }

    func write(_ text: String) throws {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(text: "send: \(errno)") }
            bytes = bytes.dropFirst(count)
        }
    }

    func endWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// True when the other side has closed.
    func isAtEnd() -> Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, 0) <= 0 && errno != EAGAIN
    }

    func readReply() throws -> HTTPReply {
        let separator = Array("\r\n\r\n".utf8)
        while buffered.firstRange(of: separator) == nil { try fill() }
        guard let end = buffered.firstRange(of: separator) else { throw Failure(text: "no head") }
        let head = String(decoding: buffered[..<end.lowerBound], as: UTF8.self)
        let lines = head.split(separator: "\r\n")
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        let length =
            lines.first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.split(separator: ":")[1].trimmingCharacters(in: .whitespaces)) } ?? 0
        while buffered.count < end.upperBound + length { try fill() }
        let body = String(
            decoding: buffered[end.upperBound..<end.upperBound + length], as: UTF8.self)
        buffered.removeFirst(end.upperBound + length)
        return HTTPReply(status: status, head: head, body: body)
    }

    private func fill() throws {
        var bytes = [UInt8](repeating: 0, count: 65536)
        var count = -1
        // A machine that does much else answers late.
        for _ in 0..<10 where count < 0 {
            count = recv(descriptor, &bytes, bytes.count, 0)
            if count < 0, errno != EAGAIN { break }
        }
        guard count > 0 else { throw Failure(text: "the other side closed") }
        buffered += bytes[..<count]
    }
}
