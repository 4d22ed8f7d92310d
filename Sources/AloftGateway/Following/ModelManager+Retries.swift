import AloftDomain
import AloftWire
import Foundation

/// What could not be loaded is tried again.
extension ModelManager {
    /// Puts a revision that could not be loaded back into the queue after a while: other loads go on,
    /// and a server that is away is not asked all the time.
    ///
    /// - Parameter isServerAway: whether nothing is wrong but that the server does not answer.
    @discardableResult
    func tryLater(
        _ key: Key, reason: String, isPermanent: Bool, isServerAway: Bool = false
    ) -> LoadFailure {
        let tries = (failures[key]?.tries ?? 0) + 1
        let vain = (failures[key]?.vain ?? 0) + (isServerAway ? 0 : 1)
        let pause = LoadFailure.pause(afterTries: tries, isPermanent: isPermanent)
        let failure = LoadFailure(
            tries: tries, reason: reason, nextTry: time.now().addingTimeInterval(pause.seconds),
            vain: vain)
        failures[key] = failure
        Task {
            try? await time.clock.sleep(for: pause)
            self.requeue(key, after: failure)
        }
        return failure
    }

    /// - Parameter failure: the one that was waited for; a later one has a pause of its own.
    func requeue(_ key: Key, after failure: LoadFailure) {
        guard failures[key] == failure, !loadQueue.contains(key), let revision = wanted(key) else {
            return
        }
        switch loadStates[key] {
        case .failed: loadStates[key] = .queued(isAwaited: false)
        case .queued: break
        case .loading, .ready, .evicted, .evicting, .draining, nil: return
        }
        loadQueue.append(key, isQuick: revision.isQuickToLoad)
        loadNext()
        update()
    }
}
