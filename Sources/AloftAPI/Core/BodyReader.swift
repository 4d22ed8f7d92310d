import AloftStore
import Dispatch
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOFoundationCompat

/// Reads bodies of JSON in proportion to their length: what would take far more memory than it is long
/// is refused, and large bodies are read two at a time on threads of their own.
struct BodyReader: Sendable {
    private static let smallBytes = 128 << 10

    private let turnstile = Turnstile(places: 2)
    private let threads = DispatchQueue(
        label: "aloft.bodies", qos: .utility, attributes: .concurrent)

    /// - Throws: `BodyError` if it is too large, too heavy or does not fit.
    func read<Value: Decodable & Sendable>(
        _ type: Value.Type, from request: Request, limit: Int, perByte: Int
    ) async throws -> Value {
        try await read(from: request, limit: limit) {
            try Self.decode(type, $0, perByte: perByte)
        }
    }

    /// - Throws: `BodyError.tooLarge`, and what `decode` throws.
    func read<Value: Sendable>(
        from request: Request, limit: Int,
        _ decode: @escaping @Sendable (ByteBuffer) throws -> Value
    ) async throws -> Value {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw BodyError.tooLarge(limitBytes: limit)
        }
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw BodyError.tooLarge(limitBytes: limit)
        }
        guard buffer.readableBytes > Self.smallBytes else {
            return try decode(buffer)
        }
        return try await turnstile.pass {
            try await withCheckedThrowingContinuation { continuation in
                threads.async {
                    continuation.resume(with: Result { try decode(buffer) })
                }
            }
        }
    }

    static func decode<Value: Decodable>(
        _ type: Value.Type, _ buffer: ByteBuffer, perByte: Int
    ) throws -> Value {
        try buffer.withUnsafeReadableBytes { bytes in
            try BodyWeight.check(bytes, perByte: perByte)
        }
        try NulCheck.refuse(buffer.readableBytesView)
        do {
            return try JSON.decoder.decode(
                type, from: Data(buffer: buffer, byteTransferStrategy: .noCopy))
        } catch let error as DecodingError {
            throw BodyError.malformed(reason: error.plainReason)
        }
    }
}
