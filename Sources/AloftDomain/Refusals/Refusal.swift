/// An error that says who must act. Every error enum of ours that can reach a person conforms; the
/// protocol layers map `kind` to a status and nothing else; see `WireError`.
package protocol Refusal: Error, Sendable {
    /// Stable, snake_case: `job_not_found`.
    var code: String { get }
    var kind: RefusalKind { get }
    /// One plain sentence or two: the thing, the place, what would be right.
    var message: String { get }
}

package enum RefusalKind: Sendable, Equatable, CaseIterable {
    /// The request is wrong and will stay wrong.
    case invalid
    case notFound
    /// The thing is in a state that does not allow this.
    case conflict
    case unauthenticated
    case forbidden
    case tooLarge
    /// A limit is reached; later it may work.
    case exhausted
    /// A check that the request had to pass did not hold.
    case checkFailed
    case unavailable
    case diskFull
    /// What was kept is no longer what it was.
    case damaged
    /// The program says plainly that it does not do this.
    case unsupported
}
