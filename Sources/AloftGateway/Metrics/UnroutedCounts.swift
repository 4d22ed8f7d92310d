import AloftDomain
import AloftInference
import AloftWire
import Synchronization

/// Requests that came to no revision: counted by what was answered and by the name that was asked for.
/// Names come from strangers, so only so many are kept; any number of callers at once.
final class UnroutedCounts: Sendable {
    private struct Kind: Hashable {
        let code: String
        let status: Int
        // text: compared by its bytes' digest at most, shown only
        let endpoint: String?
    }

    private let counts = Mutex<[Kind: UInt64]>([:])

    /// Kinds with a name of their own; what comes beyond counts without one.
    static let mostKinds = 200
    private static let nameBytes = 100

    func add(_ failure: GatewayFailure) {
        add(code: failure.code, status: failure.httpStatus, endpoint: failure.endpointName)
    }

    func add(_ error: InferenceError, endpoint: String?) {
        add(code: error.code, status: error.httpStatus, endpoint: endpoint)
    }

    private func add(code: String, status: Int, endpoint: String?) {
        let name = endpoint.map { String(decoding: $0.utf8.prefix(Self.nameBytes), as: UTF8.self) }
        let kind = Kind(code: code, status: status, endpoint: name)
        counts.withLock { counts in
            if counts[kind] != nil || counts.count < Self.mostKinds {
                counts[kind, default: 0] &+= 1
            } else {
                let nameless = Kind(code: code, status: status, endpoint: nil)
                counts[nameless, default: 0] &+= 1
            }
        }
    }

    /// Since the start, in a fixed order.
    var read: [UnroutedCount] {
        counts.withLock { $0 }.map { kind, count in
            UnroutedCount(
                code: kind.code, status: kind.status, endpoint: kind.endpoint, requests: count)
        }.sorted { one, other in
            (one.code, one.endpoint ?? "") < (other.code, other.endpoint ?? "")
        }
    }
}

extension GatewayFailure {
    /// The name that was asked for, where there was one.
    fileprivate var endpointName: String? {
        switch self {
        case .endpointNotFound(let name, _), .versionNotFound(let name, _, _),
            .notReady(let name, _):
            name
        case .noSuchRoute, .methodNotAllowed, .bodyTooLarge, .bodyGrows, .damagedBody,
            .malformedHTTP,
            .tokenMissing,
            .tokenUnknown, .tokenUnverifiable, .notAdministrator, .badHeader, .shuttingDown,
            .refused, .bodiesHeld, .tooManyAttempts:
            nil
        }
    }
}
