/// Where a controller says that its next effect comes: a transaction, a file, a call of an executor. A test
/// counts them and ends the controller before any of them, as a kill at that instruction would; everything
/// else never notices.
package struct EffectHook: Sendable {
    /// The process ends here. Nobody who sees it goes on.
    package struct Killed: Error, Equatable {
        package init() {}
    }

    private let reached: (@Sendable (String) throws(Killed) -> Void)?

    /// - Parameter reached: given the effect's name.
    package init(_ reached: @escaping @Sendable (String) throws(Killed) -> Void) {
        self.reached = reached
    }

    private init() { reached = nil }

    package static let none = EffectHook()

    /// Call it right before each effect.
    func willAct(_ effect: StaticString) throws(Killed) {
        guard let reached else { return }
        try reached("\(effect)")
    }
}
