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
    var evicted = 0
    var limitBytes: Int?

    mutating func loaded(seconds: Double) {
        loads += 1
        loadSeconds += seconds
    }
}

extension ModelManager {
    /// A request that waits for an endpoint whose models are evicted.
    struct LoadWaiter {
        let number: UInt64
        let continuation: CheckedContinuation<Void, Never>
    }

    var memory: MemoryCounts {
        var counts = counts
        counts.limitBytes = memoryBytes
        for state in loadStates.values {
            switch state {
            case .ready(let loaded), .draining(let loaded), .evicting(let loaded):
                counts.resident += 1
                counts.residentBytes += loaded.memoryBytes
            case .evicted: counts.evicted += 1
            case .queued, .loading, .failed: break
            }
        }
        return counts
    }

    // MARK: Eviction

    /// Evicts the least recently used models (LRU) until `bytes` more fit the budget, if there is
    /// one. An endpoint is evicted as a whole; one in the middle of a rollout stays.
    func makeRoom(for bytes: Int, endpoint: String) {
        guard let memoryBytes else { return }
        let plan = MemoryPlan.make(
            room: bytes, of: memoryBytes, residents: occupants(except: endpoint))
        for name in plan.evicted {
            for (key, state) in loadStates where key.endpoint == name {
                guard case .ready(let loaded) = state else { continue }
                loadStates[key] = .evicting(loaded)
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
                case .queued, .failed, .evicted, .evicting, .draining, nil: break
                }
            }
        }
        return Array(occupants.values)
    }

    // MARK: Loading on demand

    /// Loads what is evicted of an endpoint; returns when it can answer, cannot be loaded, or the time is
    /// over.
    func loadOnDemand(_ name: String, within limit: Duration) async {
        guard let endpoint = desired.endpoints.first(where: { $0.name == name }) else { return }
        var isComing = false
        for revision in endpoint.revisions {
            let key = Key(endpoint: name, revision: revision.id)
            switch loadStates[key] {
            case .evicted:
                loadStates[key] = .queued(isAwaited: true)
                loadQueue.putFirst(key, isQuick: revision.isQuickToLoad)
                isComing = true
            case .evicting(let loaded):
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
        lastWaiter += 1
        let number = lastWaiter
        update()
        Task {
            try? await time.clock.sleep(for: limit)
            self.giveUp(name, number)
        }
        await withCheckedContinuation { continuation in
            loadWaiters[name, default: []].append(
                LoadWaiter(number: number, continuation: continuation))
        }
    }

    private func giveUp(_ name: String, _ number: UInt64) {
        guard let index = loadWaiters[name]?.firstIndex(where: { $0.number == number }),
            let waiter = loadWaiters[name]?.remove(at: index)
        else { return }
        waiter.continuation.resume()
    }

    /// Every event loop has the table: those who wait for an endpoint that now answers, or never will,
    /// go on.
    func resumeWaiters(_ table: RoutingTable) {
        for (name, waiting) in loadWaiters {
            if table.endpoints[name]?.isEvicted == true { continue }
            loadWaiters[name] = nil
            for waiter in waiting { waiter.continuation.resume() }
        }
    }
}
