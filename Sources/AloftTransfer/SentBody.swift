import Synchronization

/// Keeps what went wrong while a body was read, for the client that sends it only knows that the
/// request broke off: a file that cannot be read is that file's fault, not the server's.
final class BodyFault: Sendable {
    private let found = Mutex<(any Error)?>(nil)

    func note(_ error: any Error) { found.withLock { $0 = $0 ?? error } }

    /// - Throws: what went wrong in reading the body, else what `send` throws.
    func sending<Value>(_ send: () async throws -> Value) async throws -> Value {
        do {
            return try await send()
        } catch {
            throw found.withLock { $0 } ?? error
        }
    }
}

/// The elements of `base`; what it throws is noted.
struct SentBody<Base: AsyncSequence & Sendable>: AsyncSequence, Sendable {
    typealias Element = Base.Element

    let base: Base
    let fault: BodyFault

    struct AsyncIterator: AsyncIteratorProtocol {
        var base: Base.AsyncIterator
        let fault: BodyFault

        mutating func next() async throws -> Element? {
            do {
                return try await base.next()
            } catch {
                fault.note(error)
                throw error
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(base: base.makeAsyncIterator(), fault: fault)
    }
}
