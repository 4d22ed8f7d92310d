import AloftDomain
import AloftWire

/// What an administrator asks of the model repository.
extension ModelManager {
    /// Takes an endpoint out of memory. Returns when no event loop sends it new requests.
    func unload(_ name: String) async throws(GatewayFailure) {
        try check(name)
        unloaded.insert(name)
        apply(desired, isFromDisk: false)
        await publication?.value
    }

    /// Brings an endpoint into memory, tries failed revisions again, and returns when it answers.
    ///
    /// - Throws: `GatewayFailure.notReady` where its model cannot be loaded, or is not within a minute.
    func load(_ name: String) async throws(GatewayFailure) {
        try check(name)
        unloaded.remove(name)
        for (key, state) in loadStates where key.endpoint == name {
            guard case .failed = state else { continue }
            loadStates[key] = nil
            failures[key] = nil
        }
        apply(desired, isFromDisk: false)
        for _ in 0..<1200 {
            let states = loadStates.filter { $0.key.endpoint == name }.map(\.value)
            let isLoading = states.contains {
                switch $0 {
                case .queued, .loading: true
                case .ready, .failed, .evicted, .evicting, .draining: false
                }
            }
            if !isLoading {
                for case .failed(let failure) in states {
                    throw .notReady(name: name, reason: failure.reason)
                }
                await publication?.value
                return
            }
            try? await time.clock.sleep(for: .milliseconds(50))
        }
        throw .notReady(name: name, reason: "its model is still being loaded")
    }

    private func check(_ name: String) throws(GatewayFailure) {
        let names = desired.endpoints.map(\.name)
        guard names.contains(name) else {
            throw .endpointNotFound(name: name, known: names.sorted())
        }
    }
}
