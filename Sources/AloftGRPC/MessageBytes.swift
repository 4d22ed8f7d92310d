import GRPCCore
import NIOCore

/// Hands a message on as it came; the gateway reads the wire format itself.
struct MessageBytesReader: MessageDeserializer {
    func deserialize(_ bytes: some GRPCContiguousBytes) throws -> ByteBuffer {
        bytes.withUnsafeBytes { ByteBuffer(bytes: $0) }
    }
}

struct MessageBytesWriter: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: ByteBuffer) throws -> Bytes {
        Bytes(message.readableBytesView)
    }
}
