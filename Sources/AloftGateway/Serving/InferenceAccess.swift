package import AloftDomain
package import AloftEdge
import AloftInference
package import NIOCore
package import NIOPosix

/// What a call says beside its message.
package struct CallFacts: Sendable {
    package var token: String?
    package var stickyKey: String?
    /// How long the caller waits, from when the call came.
    package var timeoutMilliseconds: Int?
    package var receivedAt: NIODeadline
    /// Any other header or metadata of the call, by its name in lower case.
    package var header: @Sendable (String) -> String?
    /// The trace that the call belongs to.
    package var trace: TraceParent?
    /// Where the caller is.
    package var place: RemoteAddress?

    package init(
        token: String?, stickyKey: String?, timeoutMilliseconds: Int?, receivedAt: NIODeadline,
        header: @escaping @Sendable (String) -> String? = { _ in nil }
    ) {
        self.token = token
        self.stickyKey = stickyKey
        self.timeoutMilliseconds = timeoutMilliseconds
        self.receivedAt = receivedAt
        self.header = header
    }
}

/// A message `ModelInferResponse`, and what is said beside it.
package struct CallAnswer: Sendable {
    package let message: ByteBuffer
    package let predictionID: String
    package let revision: Int
    /// The header `traceparent` that goes on, where one came in.
    package let traceParent: String?
}

/// Why a call got no answer.
package struct CallRefusal: Error, Sendable {
    package let kind: RefusalKind
    package let code: String
    package let message: String
    package let isDeadline: Bool
    /// The name that the prediction log has for it, where a model was found.
    package let predictionID: String?

    init(_ refusal: some Refusal, predictionID: String? = nil) {
        kind = refusal.kind
        code = refusal.code
        message = refusal.message
        self.predictionID = predictionID
        if let error = refusal as? InferenceError, case .deadlineExceeded = error {
            isDeadline = true
        } else {
            isDeadline = false
        }
    }

    /// `nil` where the caller is let in.
    init?(_ verdict: TokenAuthenticator.Verdict) {
        guard let failure = verdict.failure else { return nil }
        self.init(failure)
    }
}

/// A further way to the gateway's models beside HTTP/1.1.
package protocol GatewayListener: Sendable {
    /// The protocol's name.
    var name: String { get }
    /// Where its clients connect.
    var listen: ListenAddress { get }
    /// Serves until the task is cancelled, then takes no more and lets the calls that have begun end,
    /// for at most `InferenceAccess.endLimit`.
    ///
    /// - Parameter socket: on which clients connect; the listener closes it.
    func serve(_ models: InferenceAccess, at socket: ListeningSocket) async throws
}

/// The gateway's models, for protocols that bring their own server. It is the same path as over
/// HTTP/1.1: routing, admission, counters, prediction log.
package struct InferenceAccess: Sendable {
    let loops: EventLoops
    let shared: GatewayShared
    let repository: ModelRepository
    /// Called by a listener that takes no more callers, so that another gateway may.
    package let listenerClosed: @Sendable () -> Void

    /// The largest message, in bytes.
    package var messageLimitBytes: Int { shared.configuration.bodyLimitBytes }

    /// How long a listener may take to end: what waits for a model is refused a little before.
    package var endLimit: Duration { shared.configuration.drainLimit + Gateway.refusalTime * 2 }

    package var group: MultiThreadedEventLoopGroup { loops.group }

    /// What one event loop answers by itself. Called on that loop.
    package func onLoop(_ eventLoop: any EventLoop) throws -> LoopAccess {
        LoopAccess(loop: try loops.state(of: eventLoop))
    }

    /// How long a message may take to come, and how long a new caller may say nothing.
    package var requestTimeout: Duration { shared.configuration.requestTimeout }

    package var asksForTokens: Bool { shared.tokens != nil }

    /// The memory of messages that have not come whole.
    package var bodies: ByteBudget { shared.bodies }

    package var tables: ConnectionTables { shared.tables }

    /// Lets a caller in, or not.
    package func authorize(
        _ token: String?, from place: RemoteAddress?
    ) async throws(CallRefusal) {
        guard let tokens = shared.tokens else { return }
        guard let token else { throw CallRefusal(GatewayFailure.tokenMissing) }
        let verdict: TokenAuthenticator.Verdict
        if let remembered = tokens.remembered(token) {
            verdict = remembered
        } else {
            verdict = await tokens.verdict(token, from: place)
        }
        if let refusal = CallRefusal(verdict) { throw refusal }
    }

    package var isReady: Bool {
        get async { await loops.ask { $0.table.isReady && !$0.isDraining } }
    }

    package func isReady(
        _ name: String, version: String
    ) async throws(CallRefusal) -> Bool {
        try await ask { (table) throws(GatewayFailure) in
            try table.isReady(name, version: version)
        }
    }

    package func description(
        _ name: String, version: String
    ) async throws(CallRefusal) -> ModelDescription {
        try await ask { (table) throws(GatewayFailure) in
            try table.description(name, version: version)
        }
    }

    /// - Parameter name: empty for all deployments.
    package func statistics(
        _ name: String, version: String
    ) async throws(CallRefusal) -> [ModelStatistics] {
        let now = shared.time.now()
        return try await ask { (table) throws(GatewayFailure) in
            try table.statistics(name.isEmpty ? nil : name, version: version, now: now)
        }
    }

    package func index(readyOnly: Bool) async -> [ModelIndexEntry] {
        await loops.ask { $0.table.index(readyOnly: readyOnly) }
    }

    /// Loads a deployment's models into this gateway again, or lets go of them.
    package func load(_ name: String, _ token: String?) async throws(CallRefusal) {
        do throws(GatewayFailure) {
            try await repository.load(name, token)
        } catch {
            throw CallRefusal(error)
        }
    }

    package func unload(_ name: String, _ token: String?) async throws(CallRefusal) {
        do throws(GatewayFailure) {
            try await repository.unload(name, token)
        } catch {
            throw CallRefusal(error)
        }
    }

    private func ask<Value: Sendable>(
        _ question: @escaping @Sendable (RoutingTable) throws(GatewayFailure) -> Value
    ) async throws(CallRefusal) -> Value {
        let result = await loops.ask { loop -> Result<Value, GatewayFailure> in
            Result { () throws(GatewayFailure) in try question(loop.table) }
        }
        switch result {
        case .success(let value): return value
        case .failure(let failure): throw CallRefusal(failure)
        }
    }
}

/// The gateway's models for the connections of one event loop. Touched on that loop only.
package struct LoopAccess {
    let loop: LoopState

    package var connectionTable: ConnectionTable { loop.connectionTable }

    /// Why a caller is refused by what its call begins with, before its message is kept. What the server
    /// would have to be asked is looked at later.
    package func refusalAtHead(_ token: String?) -> CallRefusal? {
        guard let tokens = loop.shared.tokens else { return nil }
        guard let token else {
            loop.shared.unrouted.add(.tokenMissing)
            return CallRefusal(GatewayFailure.tokenMissing)
        }
        return tokens.remembered(token).flatMap(refusal)
    }

    /// Counted, as what comes to no revision.
    private func refusal(_ verdict: TokenAuthenticator.Verdict) -> CallRefusal? {
        guard let failure = verdict.failure else { return nil }
        loop.shared.unrouted.add(failure)
        return CallRefusal(failure)
    }

    /// Answers a message `ModelInferRequest`.
    ///
    /// - Parameter finish: called once, on this loop; before this returns unless the call has to wait.
    package func infer(
        _ message: ByteBuffer, _ facts: CallFacts,
        finish: @escaping (Result<CallAnswer, CallRefusal>) -> Void
    ) {
        let call = MessageCall(loop: loop, finish: finish)
        guard let tokens = loop.shared.tokens else { return call.begin(message, facts) }
        guard let token = facts.token else {
            return finish(.failure(CallRefusal(GatewayFailure.tokenMissing)))
        }
        if let remembered = tokens.remembered(token) {
            if let refusal = refusal(remembered) { return finish(.failure(refusal)) }
            return call.begin(message, facts)
        }
        let eventLoop = loop.eventLoop
        let bound = NIOLoopBound((call: call, finish: finish), eventLoop: eventLoop)
        let unrouted = loop.shared.unrouted
        Task {
            let failure = await tokens.verdict(token, from: facts.place).failure
            eventLoop.execute {
                if let failure {
                    unrouted.add(failure)
                    return bound.value.finish(.failure(CallRefusal(failure)))
                }
                bound.value.call.begin(message, facts)
            }
        }
    }
}
