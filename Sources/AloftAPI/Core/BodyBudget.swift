package import AloftDomain
package import AloftEdge
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Keeps the bodies that are held in memory at one time within a budget of the whole process. Asked behind
/// `PrincipalFinder`, so that strangers take none of it. Files go to disk as they come and do not count.
package struct BodyBudget: Sendable {
    /// The largest body that any route holds.
    package static let largest = 64 << 20
    /// Bodies up to this many bytes do not count: there are no more of them than connections.
    private static let free = 64 << 10

    private let budget: ByteBudget

    package init(budget: ByteBudget) { self.budget = budget }

    /// Whether a body counts for nothing.
    static func isFree(_ body: ComingBody) -> Bool {
        switch body {
        case .nothing, .bytes(...free): true
        case .bytes, .chunked: false
        }
    }

    /// Runs `next` while the body is counted.
    func holding(
        _ request: Request, _ body: ComingBody, carried: CarriedProtocol,
        _ next: (Request) async throws -> Response
    ) async throws -> Response {
        if Self.isFree(body) || Self.isStreamed(request, carried) { return try await next(request) }
        if case .bytes(let length) = body {
            let bytes = min(length, Self.largest)
            guard budget.take(bytes) else { return Self.refusal(request, carried) }
            defer { budget.give(bytes) }
            return try await next(request)
        }
        let share = Share(budget: budget)
        defer { share.end() }
        var request = request
        request.body = RequestBody(
            asyncSequence: request.body.map { part in
                guard share.take(part.readableBytes) else { throw BodiesHeld() }
                return part
            })
        return try await next(request)
    }

    private static func refusal(_ request: Request, _ carried: CarriedProtocol) -> Response {
        var response = ErrorResponse.make(
            for: BodiesHeld(), path: request.uri.path, carried: carried)
        response.headers[.retryAfter] = "1"
        return response
    }

    /// Files, which no route keeps in memory.
    private static func isStreamed(_ request: Request, _ carried: CarriedProtocol) -> Bool {
        let path = request.uri.path
        return request.method == .put
            && (path.begins(with: "/api/v1/blobs/") || carried.isFile(path))
    }

    /// What one body without a stated length has taken so far.
    private final class Share: Sendable {
        private let budget: ByteBudget
        private let taken = Mutex(0)

        init(budget: ByteBudget) { self.budget = budget }

        func take(_ bytes: Int) -> Bool {
            taken.withLock { taken in
                guard budget.take(bytes) else { return false }
                taken += bytes
                return true
            }
        }

        func end() {
            taken.withLock { taken in
                budget.give(taken)
                taken = 0
            }
        }
    }
}

/// The bodies of all callers together have reached their budget.
package struct BodiesHeld: Refusal, Equatable {
    package let code = "bodies_held"
    package let kind = RefusalKind.unavailable
    package let message =
        "The bodies of requests that are being read take all the memory that they may. Try again in "
        + "a moment."

    package init() {}
}
