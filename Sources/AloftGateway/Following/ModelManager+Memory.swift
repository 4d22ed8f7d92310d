import AloftDomain
import AloftInference
import AloftWire
import Logging
import Synchronization

/// What the metrics say of models and memory.
struct MemoryCounts: Sendable, Equatable {
    var loads: UInt64 = 0
    var loadSeconds = 0.0
    var failures: UInt64 = 0
    var evictions: UInt64 = 0
    var resident = 0
    var residentBytes = 0
    var asleep = 0
    var limitBytes: Int?

    mutating func loaded(seconds: Double) {
        loads += 1
        loadSeconds += seconds
    }
}

extension ModelManager {
    /// A request that waits for an endpoint that sleeps.
    struct Sleeper {
        let number: UInt64
        let wake: CheckedContinuation<Void, Never>
    }

    var memory: MemoryCounts {
        var counts = counts
        counts.limitBytes = memoryBytes
        for state in loadStates.values {
            switch state {
            case .ready(let loaded), .draining(let loaded), .fallingAsleep(let loaded):
                counts.resident += 1
                counts.residentBytes += loaded.memoryBytes
            case .asleep: counts.asleep += 1
            case .queued, .loading, .failed: break
            }
        }
        return counts
    }

    // MARK: Falling asleep

    /// Sends the least recently used models to sleep until `bytes` more fit the budget, if there is
    /// one. An endpoint sleeps as a whole; one in the middle of a rollout stays.
    func makeRoom(for bytes: Int, endpoint: String) {
        guard let memoryBytes else { return }
        let plan = MemoryPlan.make(
            room: bytes, of: memoryBytes, residents: occupants(except: endpoint))
        for name in plan.evicted {
            for (key, state) in loadStates where key.endpoint == name {
                guard case .ready(let loaded) = state else { continue }
                loadStates[key] = .fallingAsleep(loaded)
                counts.evictions += 1
            }
        }
        if plan.missingBytes > 0 {
            logger.warning(
                "models in use need more memory than they may have",
                metadata: ["endpoint": "\(endpoint)", "missing": "\(plan.missingBytes)"])
        }
    }

    /// What each endpoint holds; what is being loaded counts, what is leaving does not.
    private func occupants(except name: String) -> [MemoryPlan.Occupant] {
        // text: names of our own
        var occupants: [String: MemoryPlan.Occupant] = [:]
        func add(_ endpoint: String, _ bytes: Int, lastUsed: UInt64, isPinned: Bool) {
            var occupant =
                occupants[endpoint]
                ?? MemoryPlan.Occupant(
                    endpoint: endpoint, bytes: 0, lastUsed: 0, isPinned: endpoint == name)
            occupant.bytes += bytes
            occupant.lastUsed = max(occupant.lastUsed, lastUsed)
            occupant.isPinned = occupant.isPinned || isPinned
            occupants[endpoint] = occupant
        }
        for endpoint in desired.endpoints {
            let isRollingOut =
                endpoint.revisions.contains { $0.rolloutStep != nil }
                || endpoint.revisions.count { $0.weightPercent > 0 } > 1
            for revision in endpoint.revisions {
                switch loadStates[Key(endpoint: endpoint.name, revision: revision.id)] {
                case .ready(let loaded):
                    add(
                        endpoint.name, loaded.memoryBytes,
                        lastUsed: loaded.lastUsed.load(ordering: .relaxed), isPinned: isRollingOut)
                case .loading:
                    add(
                        endpoint.name, ModelMemory.bytes(of: revision.servable), lastUsed: .max,
                        isPinned: true)
                case .queued, .failed, .asleep, .fallingAsleep, .draining, nil: break
                }
            }
        }
        return Array(occupants.values)
    }

    // MARK: Waking up

    /// Loads what sleeps of an endpoint; returns when it can answer, cannot be loaded, or the time is
    /// over.
    func wake(_ name: String, within limit: Duration) async {
        guard let endpoint = desired.endpoints.first(where: { $0.name == name }) else { return }
        var isComing = false
        for revision in endpoint.revisions {
            let key = Key(endpoint: name, revision: revision.id)
            switch loadStates[key] {
            case .asleep:
                loadStates[key] = .queued(isAwaited: true)
                loadQueue.putFirst(key, isQuick: revision.isQuickToLoad)
                isComing = true
            case .fallingAsleep(let loaded):
                loadStates[key] = .ready(loaded)
                isComing = true
            case .queued, .loading: isComing = true
            case .ready, .failed, .draining, nil: break
            }
        }
        guard isComing else { return await publishAndWait(name, limit) }
        loadNext()
        await publishAndWait(name, limit)
    }

    private func publishAndWait(_ name: String, _ limit: Duration) async {
        lastSleeper += 1
        let number = lastSleeper
        update()
        Task {
            try? await time.clock.sleep(for: limit)
            self.giveUp(name, number)
        }
        await withCheckedContinuation { continuation in
            sleepers[name, default: []].append(Sleeper(number: number, wake: continuation))
        }
    }

    private func giveUp(_ name: String, _ number: UInt64) {
        guard let index = sleepers[name]?.firstIndex(where: { $0.number == number }),
            let sleeper = sleepers[name]?.remove(at: index)
        else { return }
        sleeper.wake.resume()
    }

    /// Every event loop has the table: those who wait for an endpoint that now answers, or never will,
    /// go on.
    func wakeSleepers(_ table: RoutingTable) {
        for (name, waiting) in sleepers {
            if table.endpoints[name]?.isAsleep == true { continue }
            sleepers[name] = nil
            for sleeper in waiting { sleeper.wake.resume() }
        }
    }
}
