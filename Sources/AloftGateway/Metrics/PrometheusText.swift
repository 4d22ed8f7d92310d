import AloftDomain
import AloftInference
import AloftWire

/// The text of `GET /metrics`. These names and labels are an interface: dashboards read them.
enum PrometheusText {
    struct Totals: Sendable {
        var connections: Int
        var desiredRevision: Int
        var log: PredictionLogWriter.Counts
        var shipping = PredictionShipper.Counts()
        var shadows: [ShadowReport] = []
        var memory: MemoryCounts
        var unrouted: [UnroutedCount] = []
    }

    static func make(_ readings: [ModelManager.ModelReading], _ totals: Totals) -> String {
        var metric = Writer()
        requests(readings, totals, to: &metric)
        revisions(readings, to: &metric)
        metric(
            "aloft_gateway_connections", "gauge", "Open connections.",
            ["aloft_gateway_connections \(totals.connections)"])
        metric(
            "aloft_gateway_desired_revision", "gauge", "The desired state that is followed.",
            ["aloft_gateway_desired_revision \(totals.desiredRevision)"])
        predictionLog(totals, to: &metric)
        metric(
            "aloft_gateway_shadow_copies_total", "counter",
            "Copies of requests to a shadow by outcome: same, different, incomparable, failed, dropped.",
            totals.shadows.flatMap(shadow))
        for part in queues(readings) + memory(totals.memory) {
            metric(part.name, part.kind, part.help, part.lines)
        }
        return metric.text
    }

    private struct Writer {
        private(set) var text = ""

        mutating func callAsFunction(
            _ name: String, _ kind: String, _ help: String, _ lines: [String]
        ) {
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
            for line in lines { text += line + "\n" }
        }
    }

    private static func requests(
        _ readings: [ModelManager.ModelReading], _ totals: Totals, to metric: inout Writer
    ) {
        metric(
            "aloft_gateway_requests_total", "counter",
            "Requests by outcome: ok, error (the revision failed, 5xx), refused (the caller's fault, "
                + "4xx), turned_away (too many waited, 429).",
            readings.flatMap { reading in
                let labels = labels(reading)
                let report = reading.report
                return [
                    ("ok", report.requests - min(report.errors, report.requests)),
                    ("error", report.errors),
                    ("refused", report.refused ?? 0), ("turned_away", report.turnedAway ?? 0),
                ].map {
                    "aloft_gateway_requests_total{\(labels),outcome=\"\($0.0)\"} \($0.1)"
                }
            })
        metric(
            "aloft_gateway_unrouted_total", "counter",
            "Requests that came to no revision (no such model, not ready, no token, ...) by answer.",
            unrouted(totals.unrouted))
        metric(
            "aloft_gateway_contested_refusals_total", "counter",
            "Refused by one revision of a rollout where the other would have taken them.",
            readings.map {
                "aloft_gateway_contested_refusals_total{\(labels($0))} \($0.report.contested ?? 0)"
            })
        metric(
            "aloft_gateway_request_duration_seconds", "histogram",
            "From the head of a request to its reply.",
            readings.flatMap { histogram($0) })
    }

    private static func revisions(
        _ readings: [ModelManager.ModelReading], to metric: inout Writer
    ) {
        metric(
            "aloft_gateway_revision_ready", "gauge", "1 while a revision is in memory and warm.",
            readings.map {
                "aloft_gateway_revision_ready{\(labels($0))} \($0.report.state == .ready ? 1 : 0)"
            })
        metric(
            "aloft_gateway_revision_weight_percent", "gauge", "Share of traffic.",
            readings.map {
                "aloft_gateway_revision_weight_percent{\(labels($0))} \($0.revision.weightPercent)"
            })
    }

    private static func predictionLog(_ totals: Totals, to metric: inout Writer) {
        metric(
            "aloft_gateway_prediction_log_bytes_total", "counter", "Written to the prediction log.",
            ["aloft_gateway_prediction_log_bytes_total \(totals.log.bytesWritten)"])
        metric(
            "aloft_gateway_prediction_log_lost_bytes_total", "counter",
            "Records that the disk did not take.",
            ["aloft_gateway_prediction_log_lost_bytes_total \(totals.log.bytesLost)"])
        metric(
            "aloft_gateway_prediction_log_dropped_segments_total", "counter",
            "Oldest segments removed beyond the limit.",
            [
                "aloft_gateway_prediction_log_dropped_segments_total \(totals.log.segmentsDropped)"
            ])
        metric(
            "aloft_gateway_prediction_log_shipped_bytes_total", "counter",
            "Of the prediction log, taken by the server.",
            [
                "aloft_gateway_prediction_log_shipped_bytes_total \(totals.shipping.bytesShipped)"
            ])
        metric(
            "aloft_gateway_prediction_log_damaged_bytes_total", "counter",
            "Of segments that a crash or a disk damaged.",
            [
                "aloft_gateway_prediction_log_damaged_bytes_total \(totals.shipping.bytesDamaged)"
            ])
    }

    /// Without the names, which strangers choose.
    private static func unrouted(_ counts: [UnroutedCount]) -> [String] {
        // text: codes of our own
        var sums: [String: UInt64] = [:]
        for count in counts {
            sums["code=\"\(count.code)\",status=\"\(count.status)\"", default: 0] += count.requests
        }
        return sums.sorted { $0.key < $1.key }.map {
            "aloft_gateway_unrouted_total{\($0.key)} \($0.value)"
        }
    }

    private struct Part {
        let name: String
        let kind: String
        let help: String
        let lines: [String]
    }

    private static func queues(_ readings: [ModelManager.ModelReading]) -> [Part] {
        let queued = readings.compactMap { reading in
            reading.queue.map { (labels: labels(reading), queue: $0) }
        }
        return [
            Part(
                name: "aloft_gateway_queue_length", kind: "gauge",
                help: "Requests that wait for the model.",
                lines: queued.map {
                    "aloft_gateway_queue_length{\($0.labels)} \($0.queue.waiting)"
                }),
            Part(
                name: "aloft_gateway_shed_total", kind: "counter",
                help: "Requests turned away since the line was too long, by priority.",
                lines: queued.flatMap { labels, queue in
                    RequestPriority.allCases.map {
                        "aloft_gateway_shed_total{\(labels),priority=\"\($0.name)\"} "
                            + "\(queue.shed[$0])"
                    }
                }),
            Part(
                name: "aloft_gateway_late_total", kind: "counter",
                help: "Requests whose deadline passed as they waited.",
                lines: queued.map { "aloft_gateway_late_total{\($0.labels)} \($0.queue.late)" }),
            Part(
                name: "aloft_gateway_batch_requests", kind: "histogram",
                help: "Requests that shared one call of the model.",
                lines: queued.flatMap { batches($0.labels, $0.queue) }),
        ]
    }

    private static func batches(_ labels: String, _ queue: QueueStatistics) -> [String] {
        let name = "aloft_gateway_batch_requests"
        var lines: [String] = []
        var seen: UInt64 = 0
        for (bucket, count) in queue.batches.enumerated() {
            seen += count
            let bound =
                bucket < QueueStatistics.batchBounds.count
                ? "\(QueueStatistics.batchBounds[bucket])" : "+Inf"
            lines.append("\(name)_bucket{\(labels),le=\"\(bound)\"} \(seen)")
        }
        lines.append("\(name)_sum{\(labels)} \(queue.batchedRequests)")
        lines.append("\(name)_count{\(labels)} \(seen)")
        return lines
    }

    private static func memory(_ memory: MemoryCounts) -> [Part] {
        func one(_ name: String, _ kind: String, _ help: String, _ value: String) -> Part {
            Part(name: name, kind: kind, help: help, lines: ["\(name) \(value)"])
        }
        return [
            one(
                "aloft_gateway_model_loads_total", "counter", "Models brought into memory.",
                "\(memory.loads)"),
            one(
                "aloft_gateway_model_load_seconds_total", "counter",
                "Time that loading and warming up took.", "\(memory.loadSeconds)"),
            one(
                "aloft_gateway_model_load_failures_total", "counter",
                "Loads that failed, each try counted.", "\(memory.failures)"),
            one(
                "aloft_gateway_model_evictions_total", "counter",
                "Models that left memory to make room.", "\(memory.evictions)"),
            one(
                "aloft_gateway_models_resident", "gauge", "Models in memory.",
                "\(memory.resident)"),
            one(
                "aloft_gateway_models_asleep", "gauge", "Models on disk that load when asked for.",
                "\(memory.evicted)"),
            one(
                "aloft_gateway_model_memory_bytes", "gauge",
                "What the models in memory are reckoned to take.", "\(memory.residentBytes)"),
        ]
    }

    private static func shadow(_ report: ShadowReport) -> [String] {
        let counts = report.counts
        let labels = "endpoint=\"\(report.endpoint)\",revision=\"\(report.revision)\""
        return [
            ("same", counts.compared - counts.differing), ("different", counts.differing),
            ("incomparable", counts.incomparable), ("failed", counts.failed),
            ("dropped", counts.dropped),
        ].map { "aloft_gateway_shadow_copies_total{\(labels),outcome=\"\($0.0)\"} \($0.1)" }
    }

    private static func labels(_ reading: ModelManager.ModelReading) -> String {
        let pairs = [
            ("endpoint", reading.report.endpoint),
            ("deployment", reading.served?.deployment ?? reading.report.endpoint),
            ("environment", reading.served?.environment ?? ""),
            ("revision", "\(reading.revision.number)"),
            ("model", reading.revision.modelName),
            ("version", reading.revision.modelVersion),
        ]
        return pairs.map { name, value in
            let escaped = value.flatMap { character -> String in
                switch character {
                case "\\": "\\\\"
                case "\"": "\\\""
                case "\n": "\\n"
                default: String(character)
                }
            }
            return "\(name)=\"\(String(escaped))\""
        }.joined(separator: ",")
    }

    /// One bucket an octave from 1 µs to 67 s.
    private static func histogram(_ reading: ModelManager.ModelReading) -> [String] {
        let labels = labels(reading)
        let name = "aloft_gateway_request_duration_seconds"
        var lines: [String] = []
        var seen: UInt64 = 0
        var sum = 0.0
        for (bucket, count) in reading.report.latency.counts.enumerated() {
            seen += count
            let bound = LatencyHistogram.boundMicroseconds(bucket) / 1e6
            sum += Double(count) * bound
            if bucket % 8 == 0, bucket < LatencyHistogram.bucketCount - 1 {
                lines.append("\(name)_bucket{\(labels),le=\"\(bound)\"} \(seen)")
            }
        }
        lines.append("\(name)_bucket{\(labels),le=\"+Inf\"} \(seen)")
        lines.append("\(name)_sum{\(labels)} \(sum)")
        lines.append("\(name)_count{\(labels)} \(seen)")
        return lines
    }
}
