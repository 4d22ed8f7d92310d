import HTTPTypes
import Hummingbird

/// Calls that may take seconds and that nobody needs when their client is gone.
enum LongCall {
    /// Most answers come before this and leave the connection as it is.
    private static let watchedAfter = Duration.seconds(1)

    /// Runs `body`, and cancels it when the client closes the connection. The request's body must have
    /// been read.
    static func answer(
        _ request: Request, _ body: @escaping @Sendable () async throws -> [UInt8]
    ) async throws -> Response {
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        let work = Task {
            defer { end.finish() }
            return try await body()
        }
        return try await withTaskCancellationHandler {
            guard await !isOver(ended), canWatch(request) else {
                return MLflowBody.json(try await work.value)
            }
            let bytes = try await request.body.consumeWithInboundCloseHandler { _ in
                try await work.value
            } onInboundClosed: {
                work.cancel()
            }
            // Who watches a connection has read on in it: it serves no further request.
            var response = MLflowBody.json(bytes)
            response.headers[.connection] = "close"
            return response
        } onCancel: {
            work.cancel()
        }
    }

    /// Waits until the answer is there, or it takes longer than most.
    private static func isOver(_ ended: AsyncStream<Void>) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await _ in ended {}
                return !Task.isCancelled
            }
            group.addTask {
                try? await Task.sleep(for: watchedAfter)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    /// Only a body that comes from a socket, as it came, can be watched; the library ends the process
    /// over any other, and tells nobody but a mirror which it is.
    private static func canWatch(_ request: Request) -> Bool {
        guard let backing = Mirror(reflecting: request.body).children.first?.value else {
            return false
        }
        return Mirror(reflecting: backing).children.first?.label == "nioAsyncChannelRequestBody"
    }
}
