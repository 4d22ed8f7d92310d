import AloftDomain
import AloftInference
import AloftWire

/// What there is in memory, for reports and metrics.
extension Fleet {
    struct ResidentReading: Sendable {
        let served: ServedEndpoint?
        let revision: ServedRevision
        let report: RevisionReport
        let refused: UInt64
        var queue: QueueReading?
    }

    func readings() -> [ResidentReading] {
        var result: [ResidentReading] = []
        let endpoints = Dictionary(
            desired.endpoints.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        for endpoint in desired.endpoints {
            for revision in endpoint.revisions {
                let key = Key(endpoint: endpoint.name, revision: revision.id)
                var report = RevisionReport(
                    endpoint: endpoint.name, revision: revision.id, state: .loading)
                var refused: UInt64 = 0
                var queue: QueueReading?
                switch residents[key] {
                case .ready(let loaded):
                    (report, refused) = Self.reading(loaded, .ready)
                    queue = loaded.queueReading
                case .failed(let reason):
                    report.state = .failed
                    report.error = reason
                case .asleep(let warmup):
                    // It answers when it is asked.
                    report.state = .ready
                    report.warmup = warmup
                case .fallingAsleep(let loaded): (report, refused) = Self.reading(loaded, .ready)
                case .queued, .loading, .draining, nil: break
                }
                result.append(
                    ResidentReading(
                        served: endpoint, revision: revision, report: report, refused: refused,
                        queue: queue))
            }
        }
        for (key, residence) in residents {
            guard case .draining(let loaded) = residence else { continue }
            let (report, refused) = Self.reading(loaded, .draining)
            result.append(
                ResidentReading(
                    served: endpoints[key.endpoint], revision: loaded.served, report: report,
                    refused: refused, queue: loaded.queueReading))
        }
        return result
    }

    private static func reading(
        _ loaded: LoadedRevision, _ state: RevisionReport.State
    ) -> (RevisionReport, UInt64) {
        let reading = loaded.counters.read()
        return (
            RevisionReport(
                endpoint: loaded.endpoint, revision: loaded.served.id, state: state,
                warmup: loaded.warmup, requests: reading.requests, errors: reading.errors,
                latency: reading.latency), reading.refused
        )
    }
}
