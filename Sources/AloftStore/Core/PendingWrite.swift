/// One caller's write, on its way through `CommitGroup`.
///
/// A class with two methods and not two closures: it is made for each call that logs something, and one
/// allocation is cheaper than five.
///
/// `@unchecked Sendable`: its caller makes it, and only the writer's thread touches it afterwards.
class PendingWrite: @unchecked Sendable {
    /// What others learn of it once it is committed.
    fileprivate(set) var entities: ChangeSignal.Entities

    #if DEBUG
        /// Sees what it changes.
        var witness: DeclaredChanges?
    #endif

    init(_ entities: ChangeSignal.Entities) { self.entities = entities }

    /// Does it inside the shared transaction and keeps its outcome. May be called again in another
    /// transaction, if the first was rolled back.
    func run(_ db: Transaction) throws {}

    /// Gives the outcome out after the commit, or the commit's own failure. Once.
    func finish(_ failure: (any Error)?) {}
}

/// A write whose caller waits for its value.
///
/// `@unchecked Sendable`: as `PendingWrite`, only the writer's thread touches it once it is made.
final class WaitingWrite<Value: Sendable>: PendingWrite, @unchecked Sendable {
    private let body: @Sendable (Transaction) throws -> Value
    /// What it changed beside what it said, as its value tells.
    private let further: (@Sendable (Value) -> ChangeSignal.Entities)?
    private let caller: UnsafeContinuation<Value, any Error>
    private var outcome: Result<Value, any Error>?

    init(
        _ entities: ChangeSignal.Entities,
        _ further: (@Sendable (Value) -> ChangeSignal.Entities)? = nil,
        _ body: @escaping @Sendable (Transaction) throws -> Value,
        _ caller: UnsafeContinuation<Value, any Error>
    ) {
        self.body = body
        self.further = further
        self.caller = caller
        super.init(entities)
    }

    override func run(_ db: Transaction) throws {
        do {
            #if DEBUG
                witness?.begin()
            #endif
            let value = try body(db)
            if let further { entities.formUnion(further(value)) }
            #if DEBUG
                try witness?.check(entities)
            #endif
            outcome = .success(value)
        } catch {
            outcome = .failure(error)
            throw error
        }
    }

    override func finish(_ failure: (any Error)?) {
        if let failure { return caller.resume(throwing: failure) }
        caller.resume(with: outcome ?? .failure(CancellationError()))
    }
}
