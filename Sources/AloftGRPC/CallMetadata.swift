import AloftDomain
import AloftGateway
import GRPCCore
import NIOCore

extension CallFacts {
    /// What the metadata of a call says to the gateway.
    ///
    /// - Throws: `RPCError` where `grpc-timeout` is none.
    init(_ metadata: Metadata) throws(RPCError) {
        var timeout: Int?
        if let text = metadata.text("grpc-timeout") {
            guard let milliseconds = Self.milliseconds(text) else {
                throw RPCError(
                    code: .invalidArgument,
                    message:
                        "grpc-timeout \"\(text.prefix(40))\": expected at most eight digits and "
                        + "one of H, M, S, m, u, n.")
            }
            timeout = milliseconds
        }
        self.init(
            token: metadata.bearer, stickyKey: metadata.text("x-aloft-sticky-key"),
            timeoutMilliseconds: timeout, receivedAt: .now(), header: { metadata.text($0) })
    }

    /// `250m`, `2S`: at least one millisecond, at most a day.
    static func milliseconds(_ text: String) -> Int? {
        guard let unit = text.last, let value = Int(text.dropLast()), value >= 0,
            text.utf8.count <= 9
        else { return nil }
        let nanoseconds: Int
        switch unit {
        case "H": nanoseconds = 3_600_000_000_000
        case "M": nanoseconds = 60_000_000_000
        case "S": nanoseconds = 1_000_000_000
        case "m": nanoseconds = 1_000_000
        case "u": nanoseconds = 1000
        case "n": nanoseconds = 1
        default: return nil
        }
        let (product, overflow) = value.multipliedReportingOverflow(by: nanoseconds)
        return overflow ? 86_400_000 : min(max(product / 1_000_000, 1), 86_400_000)
    }
}

extension Metadata {
    func text(_ key: String) -> String? { self[stringValues: key].first { _ in true } }

    /// The token of `authorization: Bearer TOKEN`.
    var bearer: String? {
        guard let text = text("authorization") else { return nil }
        let words = text.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return String(words[1])
    }
}

extension CallRefusal {
    /// The refusal with gRPC's status; our own code and the prediction's name stand in the trailers.
    var rpcError: RPCError {
        var metadata: Metadata = ["aloft-error-code": "\(code)"]
        if let predictionID { metadata.addString(predictionID, forKey: "x-aloft-prediction-id") }
        return RPCError(code: status, message: message, metadata: metadata)
    }

    private var status: RPCError.Code {
        if isDeadline { return .deadlineExceeded }
        return switch kind {
        case .invalid: .invalidArgument
        case .notFound: .notFound
        case .conflict, .checkFailed: .failedPrecondition
        case .unauthenticated: .unauthenticated
        case .forbidden: .permissionDenied
        case .tooLarge, .exhausted, .diskFull: .resourceExhausted
        case .unavailable: .unavailable
        case .unsupported: .unimplemented
        }
    }
}
