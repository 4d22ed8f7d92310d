import Dispatch

/// Runs work that waits for a disk on threads of its own, so that it holds up no task.
package enum BlockingWork {
    private static let queue = DispatchQueue(label: "aloft.files", attributes: .concurrent)

    package static func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
