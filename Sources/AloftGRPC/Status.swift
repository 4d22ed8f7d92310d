import AloftDomain
import AloftGateway

/// How a call ended that has no answer, in gRPC's words.
struct Status: Error, Equatable {
    typealias Code = GRPCCode

    let code: Code
    let message: String
    /// Our own code, where there is one.
    var ownCode: String?
    /// The name that the prediction log has for it, where a model was found.
    var predictionID: String?

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ refusal: CallRefusal) {
        code = refusal.isDeadline ? .deadlineExceeded : refusal.kind.wire.grpc
        message = refusal.message
        ownCode = refusal.code
        predictionID = refusal.predictionID
    }

    /// The message as the header `grpc-message` carries it: what is not plain ASCII as `%` and two
    /// digits.
    var encodedMessage: String {
        let isPlain = message.utf8.allSatisfy { $0 >= 0x20 && $0 <= 0x7E && $0 != 0x25 }
        guard !isPlain else { return message }
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in message.utf8 {
            if byte >= 0x20 && byte <= 0x7E && byte != 0x25 {
                bytes.append(byte)
            } else {
                // traps: half a byte, and there are sixteen digits
                bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
