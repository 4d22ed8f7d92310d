/// The life of a revision: one model version on its way through a deployment's environment.
/// `docs/lifecycles/revision.md` has the picture.
///
/// Of one deployment and environment at most one revision is under way (`waiting`, `warming` or
/// `rolling`), one is `live`, and one is on `standby`; the store holds that.
package struct RevisionLifecycle: Sendable, Equatable {
    package enum State: Sendable, Hashable {
        /// Its model version is not servable yet, or its checks were not looked at. Entered on
        /// creation, left by `admitted`, `rejected`, `failed` or `withdrawn`.
        case waiting
        /// Gateways load it and measure its latency; it has no traffic. Entered by `admitted`, left
        /// by `released`, `rejected`, `failed` or `withdrawn`.
        case warming
        /// Has the share of the traffic that its rollout says. Entered by `released`, left by
        /// `promoted` or `withdrawn`.
        case rolling
        /// Has all the traffic that no rollout takes. Entered by `released` where there is nothing
        /// to roll out against, by `promoted` or by `restored`; left by `replaced` or `rolledBack`.
        case live
        /// The one before the live one, kept in memory without traffic. Entered by `replaced`, left
        /// by `restored` or `retired`.
        case standby
        /// For good. Out of the gateways' memory.
        case ended(RevisionEnd)
    }

    package enum Event: Sendable, Equatable {
        /// It can be served and every check that needs no traffic held.
        case admitted
        /// A check did not hold.
        case rejected(reason: String)
        /// It could not be made servable, or a gateway could not load it.
        case failed(reason: String)
        /// Gateways are ready for traffic: by a rollout, or all of it at once.
        case released(byRollout: Bool)
        /// Its rollout is done.
        case promoted
        /// Its rollout was aborted, or a newer deploy took its place before it was live.
        case withdrawn(RevisionEnd)
        /// Another one is live now.
        case replaced
        /// It is out of use: two others were live since.
        case retired
        /// Traffic went back to the one before it.
        case rolledBack(reason: String)
        /// Traffic came back to it.
        case restored
    }

    /// What must happen in the same transaction.
    package enum Effect: Sendable, Equatable {
        case openRollout
        case closeRollout
        /// The one that is live steps back, the one on standby goes.
        case takeOver
    }

    /// The event cannot happen in this state; nothing changed.
    package struct Refused: Error, Equatable {
        package let state: State
        package let event: Event
    }

    package private(set) var state: State

    package init(state: State = .waiting) { self.state = state }

    package mutating func apply(_ event: Event) throws(Refused) -> [Effect] {
        switch (state, event) {
        case (.waiting, .admitted):
            state = .warming
            return []
        case (.waiting, .rejected(let reason)), (.warming, .rejected(let reason)):
            state = .ended(.rejected(reason: reason))
            return []
        case (.waiting, .failed(let reason)), (.warming, .failed(let reason)):
            state = .ended(.failed(reason: reason))
            return []
        case (.waiting, .withdrawn(let end)), (.warming, .withdrawn(let end)):
            state = .ended(end)
            return []
        case (.warming, .released(byRollout: true)):
            state = .rolling
            return [.openRollout]
        case (.warming, .released(byRollout: false)):
            state = .live
            return [.takeOver]
        case (.rolling, .promoted):
            state = .live
            return [.closeRollout, .takeOver]
        case (.rolling, .withdrawn(let end)):
            state = .ended(end)
            return [.closeRollout]
        case (.live, .replaced):
            state = .standby
            return []
        case (.live, .rolledBack(let reason)):
            state = .ended(.rolledBack(reason: reason))
            return []
        case (.standby, .restored):
            state = .live
            return []
        case (.standby, .retired):
            state = .ended(.retired)
            return []

        case (.waiting, .released), (.waiting, .promoted), (.waiting, .replaced),
            (.waiting, .retired), (.waiting, .rolledBack), (.waiting, .restored),
            (.warming, .admitted), (.warming, .promoted), (.warming, .replaced),
            (.warming, .retired), (.warming, .rolledBack), (.warming, .restored),
            (.rolling, .admitted), (.rolling, .rejected), (.rolling, .failed),
            (.rolling, .released), (.rolling, .replaced), (.rolling, .retired),
            (.rolling, .rolledBack), (.rolling, .restored),
            (.live, .admitted), (.live, .rejected), (.live, .failed), (.live, .released),
            (.live, .promoted), (.live, .withdrawn), (.live, .retired), (.live, .restored),
            (.standby, .admitted), (.standby, .rejected), (.standby, .failed),
            (.standby, .released), (.standby, .promoted), (.standby, .withdrawn),
            (.standby, .replaced), (.standby, .rolledBack),
            (.ended, .admitted), (.ended, .rejected), (.ended, .failed), (.ended, .released),
            (.ended, .promoted), (.ended, .withdrawn), (.ended, .replaced), (.ended, .retired),
            (.ended, .rolledBack), (.ended, .restored):
            throw Refused(state: state, event: event)
        }
    }
}

/// How a revision ended.
package enum RevisionEnd: Sendable, Hashable {
    /// A check did not hold.
    case rejected(reason: String)
    /// It could not be converted or loaded.
    case failed(reason: String)
    /// Its rollout was undone, by what it showed or by a person.
    case aborted(reason: String)
    /// A newer deploy began before it was live.
    case superseded(reason: String)
    /// It was live, and the one before it was put back.
    case rolledBack(reason: String)
    /// It was live, and two others followed.
    case retired
}

extension RevisionEnd {
    /// As stored and shown.
    package enum Name: String, Sendable, CaseIterable {
        case rejected, failed, aborted, superseded, rolledBack, retired
    }

    package init(_ name: Name, reason: String) {
        switch name {
        case .rejected: self = .rejected(reason: reason)
        case .failed: self = .failed(reason: reason)
        case .aborted: self = .aborted(reason: reason)
        case .superseded: self = .superseded(reason: reason)
        case .rolledBack: self = .rolledBack(reason: reason)
        case .retired: self = .retired
        }
    }

    package var name: Name {
        switch self {
        case .rejected: .rejected
        case .failed: .failed
        case .aborted: .aborted
        case .superseded: .superseded
        case .rolledBack: .rolledBack
        case .retired: .retired
        }
    }

    package var reason: String {
        switch self {
        case .rejected(let reason), .failed(let reason), .aborted(let reason),
            .superseded(let reason), .rolledBack(let reason):
            reason
        case .retired: "two later revisions were live"
        }
    }
}

extension RevisionLifecycle.State {
    /// As stored and shown.
    package enum Name: String, Sendable, CaseIterable {
        case waiting, warming, rolling, live, standby, ended
    }

    package var name: Name {
        switch self {
        case .waiting: .waiting
        case .warming: .warming
        case .rolling: .rolling
        case .live: .live
        case .standby: .standby
        case .ended: .ended
        }
    }

    package var end: RevisionEnd? { if case .ended(let end) = self { end } else { nil } }

    /// On its way to be live.
    package var isUnderWay: Bool {
        switch self {
        case .waiting, .warming, .rolling: true
        case .live, .standby, .ended: false
        }
    }
}
