import AloftDomain
import AloftInference
import AloftWire

extension ModelManager {
    /// What each endpoint answers with now.
    func makeTable() -> RoutingTable {
        let endpoints = desired.endpoints.map { endpoint -> RoutedEndpoint in
            var weighted: [(LoadedRevision, Double)] = []
            var loaded: [LoadedRevision] = []
            var failure: String?
            // Why it is not loaded yet, where it was tried before.
            var trouble: String?
            var isEvicted = false
            for revision in endpoint.revisions {
                let key = Key(endpoint: endpoint.name, revision: revision.id)
                switch loadStates[key] {
                case .ready(let resident):
                    loaded.append(resident)
                    if revision.weightPercent > 0 {
                        weighted.append((resident, revision.weightPercent))
                    }
                case .failed(let why) where revision.weightPercent > 0: failure = why.text
                case .queued(isAwaited: false) where revision.weightPercent > 0,
                    .loading(isAwaited: false) where revision.weightPercent > 0:
                    trouble = failures[key]?.text
                case .evicted, .evicting, .queued(isAwaited: true), .loading(isAwaited: true):
                    if revision.weightPercent > 0 { isEvicted = true }
                case .failed, .queued, .loading, .draining, nil: break
                }
            }
            let hasTraffic = endpoint.revisions.contains { $0.weightPercent > 0 }
            let isUnloaded = unloaded.contains(endpoint.name)
            if weighted.isEmpty, hasTraffic, !isUnloaded {
                // Better the revision from before than none: it goes when the new one is ready.
                weighted = drainingRevisions(of: endpoint.name).map { ($0, 1) }
            }
            return RoutedEndpoint(
                served: endpoint, weighted: weighted, loaded: loaded,
                isEvicted: isEvicted && weighted.isEmpty && failure == nil,
                reason: isUnloaded
                    ? "an administrator unloaded it; POST /v2/repository/models/\(endpoint.name)/load "
                        + "loads it again"
                    : failure
                        ?? (hasTraffic
                            ? "its model is being loaded" + (trouble.map { ": \($0)" } ?? "")
                            : "no revision has traffic"),
                isUnloaded: isUnloaded, shadow: shadow(of: endpoint))
        }
        return RoutingTable(
            desiredRevision: desired.revision, endpoints: endpoints, isReady: hasState)
    }

    /// The revision with most of the traffic at the endpoint that gets copies, once it is in memory.
    private func shadow(of endpoint: ServedEndpoint) -> (LoadedRevision, Double)? {
        guard let rule = endpoint.shadow,
            let target = desired.endpoints.first(where: { $0.name == rule.endpoint }),
            let revision = target.revisions.max(by: { $0.weightPercent < $1.weightPercent }),
            revision.weightPercent > 0,
            case .ready(let loaded) = loadStates[Key(endpoint: target.name, revision: revision.id)]
        else { return nil }
        return (loaded, rule.sharePercent / 100)
    }

    private func drainingRevisions(of endpoint: String) -> [LoadedRevision] {
        loadStates.compactMap { key, state in
            guard key.endpoint == endpoint, case .draining(let loaded) = state else {
                return nil
            }
            return loaded
        }.max { $0.served.number < $1.served.number }.map { [$0] } ?? []
    }
}
