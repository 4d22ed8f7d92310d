package import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// A server on a free port that answers as a test says, and remembers what it was asked.
package final class StubServer: Sendable {
    package struct Asked: Sendable, Equatable {
        package let method: String
        /// As it came: percent-encoded, with its query.
        package let path: String
        package let authorization: String?
        package let contentType: String?
        package let contentLength: Int?
        package let body: Data
    }

    package struct Answer: Sendable {
        package var status = 200
        package var body = Data()

        package init(status: Int = 200, _ text: String) {
            self.status = status
            body = Data(text.utf8)
        }

        package init(_ value: some Encodable) throws { body = try JSONEncoder().encode(value) }
    }

    private let answer: @Sendable (Asked) throws -> Answer
    private let memory = Mutex<[Asked]>([])

    package init(_ answer: @escaping @Sendable (Asked) throws -> Answer) { self.answer = answer }

    package var asked: [Asked] { memory.withLock { $0 } }

    /// Serves at the URL that the body is given, until that ends.
    package func run<Value: Sendable>(
        _ body: @escaping @Sendable (String) async throws -> Value
    ) async throws -> Value? {
        let (ports, bound) = AsyncStream.makeStream(of: Int.self)
        let responder = CallbackResponder { (request: Request, _: BasicRequestContext) in
            try await self.respond(request)
        }
        let application = Application(
            responder: responder, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                bound.yield(channel.localAddress?.port ?? 0)
                bound.finish()
            })
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try await application.run()
                return nil
            }
            group.addTask {
                for await port in ports { return try await body("http://127.0.0.1:\(port)") }
                return nil
            }
            let value = try await group.next()
            group.cancelAll()
            while let _ = try? await group.next() {}
            return value ?? nil
        }
    }

    private func respond(_ request: Request) async throws -> Response {
        let headers = request.headers
        let body = try await request.body.collect(upTo: 1 << 28)
        let asked = Asked(
            method: request.method.rawValue, path: request.head.path ?? "",
            authorization: headers[.authorization], contentType: headers[.contentType],
            contentLength: headers[.contentLength].flatMap { Int($0) },
            body: Data(body.readableBytesView))
        memory.withLock { $0.append(asked) }
        let answer = try answer(asked)
        return Response(
            status: .init(code: answer.status),
            body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
    }
}
