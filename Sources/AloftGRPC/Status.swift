import AloftDomain
import AloftGateway

/// How a call ended that has no answer, in gRPC's words.
struct Status: Error, Equatable {
    /// The codes that a server gives (https://grpc.io/docs/guides/status-codes).
    enum Code: Int {
        case invalidArgument = 3
        case deadlineExceeded = 4
        case notFound = 5
        case permissionDenied = 7
        case resourceExhausted = 8
        case failedPrecondition = 9
        case unimplemented = 12
        case `internal` = 13
        case unavailable = 14
        case dataLoss = 15
        case unauthenticated = 16
    }

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
        code = refusal.isDeadline ? .deadlineExceeded : Self.code(refusal.kind)
        message = refusal.message
        ownCode = refusal.code
        predictionID = refusal.predictionID
    }

    private static func code(_ kind: RefusalKind) -> Code {
        switch kind {
        case .invalid: .invalidArgument
        case .notFound: .notFound
        case .conflict, .checkFailed: .failedPrecondition
        case .unauthenticated: .unauthenticated
        case .forbidden: .permissionDenied
        case .tooLarge, .exhausted, .diskFull: .resourceExhausted
        case .unavailable: .unavailable
        case .damaged: .dataLoss
        case .unsupported: .unimplemented
        }
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
