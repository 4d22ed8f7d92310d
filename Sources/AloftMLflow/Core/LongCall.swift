import AloftDomain
import Hummingbird

/// Calls that may take seconds and that nobody needs when their client is gone.
enum LongCall {
    /// Most answers come before this, and nobody asks after their client.
    private static let watchedAfter = Duration.seconds(1)

    /// Runs `body`, and cancels it when the client ends its side of the connection.
    static func answer(
        _ caller: any CallerWatching, _ body: @escaping @Sendable () async throws -> [UInt8]
    ) async throws -> Response {
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        let work = Task {
            defer { end.finish() }
            return try await body()
        }
        return try await withTaskCancellationHandler {
            if await !isOver(ended) { caller.whenCallerLeaves { work.cancel() } }
            return MLflowBody.json(try await work.value)
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
}
