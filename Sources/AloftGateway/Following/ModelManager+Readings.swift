import AloftDomain
import AloftInference
import AloftWire

/// What there is in memory, for reports and metrics.
extension ModelManager {
    struct ModelReading: Sendable {
        let served: ServedEndpoint?
        let revision: ServedRevision
        let report: RevisionReport
        var queue: QueueStatistics?
    }

    func readings() -> [ModelReading] {
        var result: [ModelReading] = []
        let endpoints = Dictionary(
            desired.endpoints.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        for endpoint in desired.endpoints {
            for revision in endpoint.revisions {
                let key = Key(endpoint: endpoint.name, revision: revision.id)
                var report = RevisionReport(
                    endpoint: endpoint.name, revision: revision.id, state: .loading)
                var queue: QueueStatistics?
                switch loadStates[key] {
                case .ready(let loaded):
                    let isServed = isServed(loaded, at: endpoint.name)
                    report = Self.reading(loaded, isServed ? .ready : .loading)
                    queue = loaded.queueStatistics
                case .failed(let failure):
                    report.state = .failed
                    report.error = failure.tries > 1 ? failure.text : failure.reason
                case .evicted(let warmup):
                    // It answers when it is asked.
                    report.state = .ready
                    report.warmup = warmup
                case .evicting(let loaded): report = Self.reading(loaded, .ready)
                case .queued, .loading:
                    report.error = failures[key]?.text
                    if failures[key]?.isReported == true { report.state = .failed }
                case .draining, nil: break
                }
                result.append(
                    ModelReading(
                        served: endpoint, revision: revision, report: report, queue: queue))
            }
        }
        for (key, state) in loadStates {
            guard case .draining(let loaded) = state else { continue }
            let report = Self.reading(loaded, .draining)
            result.append(
                ModelReading(
                    served: endpoints[key.endpoint], revision: loaded.served, report: report,
                    queue: loaded.queueStatistics))
        }
        return result
    }

    private static func reading(
        _ loaded: LoadedRevision, _ state: RevisionReport.State
    ) -> RevisionReport {
        let reading = loaded.counters.read()
        return RevisionReport(
            endpoint: loaded.endpoint, revision: loaded.served.id, state: state,
            warmup: loaded.warmup, requests: reading.requests, errors: reading.errors,
            refused: reading.refused, turnedAway: reading.shed, latency: reading.latency,
            scores: loaded.counters.scores(output: loaded.scoredOutput),
            contested: reading.contested)
    }
}
