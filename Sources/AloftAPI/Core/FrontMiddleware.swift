package import AloftControl
package import AloftDomain
import HTTPTypes
package import Hummingbird

/// What every request meets before its route: whether it comes from here, where it runs, whether the disk
/// must give room, who asks, whether its body fits, and what its errors look like.
///
/// One middleware and not one for each question. A middleware of the library is four asynchronous
/// functions, each of which asks the runtime for its thread when it is entered and left: six more of them
/// are a tenth of what a logging call costs.
package struct FrontMiddleware: RouterMiddleware {
    package typealias Context = AloftRequestContext
    private typealias Next = (Request, Context) async throws -> Response

    /// What is `nil` is not asked.
    private let edge: EdgeCheck?
    private let fallback: WebFallback?
    private let reserve: DiskReserve?
    private let principals: PrincipalFinder?
    private let bodies: BodyBudget?
    private let carried: CarriedProtocol

    package init(
        edge: EdgeCheck? = nil, fallback: WebFallback? = nil, reserve: DiskReserve? = nil,
        principals: PrincipalFinder? = nil, bodies: BodyBudget? = nil,
        carried: CarriedProtocol = .none
    ) {
        self.edge = edge
        self.fallback = fallback
        self.reserve = reserve
        self.principals = principals
        self.bodies = bodies
        self.carried = carried
    }

    package func handle(
        _ request: Request, context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var context = context
        let head = HeadFacts(request.headers)
        if let refusal = edge?.refusal(of: request, head, carried: carried) {
            // Told behind the body, which is dropped: who writes still may not see it before.
            for try await _ in request.body {}
            return EdgeCheck.answer(refusal, to: request, carried: carried)
        }
        guard ShortCalls.contains(request, head.body, carried: carried) else {
            return try await elsewhere(request, context, head, next)
        }
        guard let asking = principals.map({ $0.atOnce(head) }) ?? .anybody,
            bodies.map({ _ in BodyBudget.isFree(head.body) }) ?? true
        else { return try await answer(request, context, head, next) }
        // The same as `answer` where there is nothing to wait for.
        context.asking = asking
        do {
            release(request)
            return try await next(request, context)
        } catch {
            return try ErrorResponse.make(for: error, to: request, context, carried: carried)
        }
    }

    /// Runs what may take long, and sends what is made while it is sent, on the threads that tasks share.
    private func elsewhere(
        _ request: Request, _ context: Context, _ head: HeadFacts, _ next: Next
    ) async throws -> Response {
        var response = try await withTaskExecutorPreference(globalConcurrentExecutor) {
            let response = try await answer(request, context, head, next)
            return try fallback?.page(for: response, to: request, carried: carried) ?? response
        }
        // Only what is made while it is sent has no length; the rest is sent as it is.
        guard response.body.contentLength == nil else { return response }
        let body = response.body
        response.body = ResponseBody { writer in
            let writer = writer
            try await withTaskExecutorPreference(globalConcurrentExecutor) {
                try await body.write(writer)
            }
        }
        return response
    }

    private func answer(
        _ request: Request, _ context: Context, _ head: HeadFacts, _ next: Next
    ) async throws -> Response {
        do {
            release(request)
            var context = context
            if let principals {
                context.asking = try await principals.find(request, head, from: context)
            }
            guard let bodies else { return try await next(request, context) }
            return try await bodies.holding(request, head.body, carried: carried) { request in
                try await next(request, context)
            }
        } catch {
            return try ErrorResponse.make(for: error, to: request, context, carried: carried)
        }
    }

    /// Gives what stops, deletes and frees the room that is kept for it when the disk is full.
    private func release(_ request: Request) {
        guard let reserve, Self.frees(request.method, request.uri.path) else { return }
        reserve.releaseIfFull()
    }

    /// Whether a call leads to less on the disk.
    static func frees(_ method: HTTPRequest.Method, _ path: String) -> Bool {
        guard method == .post else { return method == .delete }
        return path.ends(with: "/stop") || path.ends(with: "/delete")
            || path.begins(with: "/api/v1/space") || path.holds(text: "/delete-")
    }
}
