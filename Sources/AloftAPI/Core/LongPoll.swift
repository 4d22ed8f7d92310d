import AloftDomain
package import AloftStore
import Hummingbird
import ServiceLifecycle

/// Answers at once if `look` finds something, else as soon as a commit of `entities` makes it find something, or
/// with `nil` after `timeout` or when the server shuts down.
package func longPoll<Value: Sendable>(
    _ changes: ChangeSignal, of entities: ChangeSignal.Entities, timeout: Duration,
    look: @escaping @Sendable () async throws -> Value?
) async throws -> Value? {
    let clock = ContinuousClock()
    let deadline = clock.now.advanced(by: timeout)
    return try await cancelWhenGracefulShutdown {
        while true {
            let seen = changes.count()
            if let value = try await look() { return value }
            let left = clock.now.duration(to: deadline)
            guard left > .zero, !Task.isCancelled else { return nil }
            await changes.wait(after: seen, of: entities, upTo: left)
            if Task.isCancelled { return nil }
        }
    }
}
