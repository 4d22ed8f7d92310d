import AloftStore
import Dispatch
import Hummingbird
import NIOCore

/// Reads the JSON of requests. Small ones at once; large ones two at a time and on threads of their
/// own, so that neither memory nor the threads that answer everybody go to them.
struct LargeBodies: Sendable {
    private static let smallBytes = 256 << 10

    private let turnstile = Turnstile(places: 2)
    private let threads = DispatchQueue(
        label: "aloft.bodies", qos: .utility, attributes: .concurrent)

    /// The body's members; none where there is no body.
    nonisolated(nonsending) func fields(_ request: Request, limit: Int = MLflowBody.limit)
        async throws -> Fields
    {
        let buffer = try await MLflowBody.collect(request, limit: limit)
        return try await read(buffer) { try MLflowBody.fields($0) }
    }

    /// Runs `body` on a request's bytes.
    ///
    /// - Parameter isLarge: whatever it looks like: few bytes may unpack to many.
    nonisolated(nonsending) func read<Value: Sendable>(
        _ buffer: ByteBuffer, isLarge: Bool = false,
        _ body: @escaping @Sendable (ByteBuffer) throws -> Value
    ) async throws -> Value {
        guard isLarge || buffer.readableBytes > Self.smallBytes else { return try body(buffer) }
        return try await turnstile.pass {
            try await withCheckedThrowingContinuation { continuation in
                threads.async {
                    continuation.resume(with: Result { try body(buffer) })
                }
            }
        }
    }
}
