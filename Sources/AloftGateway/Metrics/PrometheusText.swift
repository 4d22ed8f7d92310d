import AloftDomain
import AloftInference
import AloftWire

/// The text of `GET /metrics`. These names and labels are an interface: dashboards read them.
enum PrometheusText {
    struct Totals: Sendable {
        var connections: Int
        var desiredRevision: Int
        var log: PredictionLogWriter.Counts
        var shadows: [ShadowReport] = []
    }

    static func make(_ readings: [Fleet.ResidentReading], _ totals: Totals) -> String {
        var text = ""
        func metric(_ name: String, _ kind: String, _ help: String, _ lines: [String]) {
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
            for line in lines { text += line + "\n" }
        }
        metric(
            "aloft_gateway_requests_total", "counter",
            "Requests by outcome: ok, error (the revision failed), refused (the caller's fault).",
            readings.flatMap { reading in
                let labels = labels(reading)
                let report = reading.report
                return [
                    ("ok", report.requests - report.errors), ("error", report.errors),
                    ("refused", reading.refused),
                ].map {
                    "aloft_gateway_requests_total{\(labels),outcome=\"\($0.0)\"} \($0.1)"
                }
            })
        metric(
            "aloft_gateway_request_duration_seconds", "histogram",
            "From the head of a request to its reply.",
            readings.flatMap { histogram($0) })
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
        metric(
            "aloft_gateway_connections", "gauge", "Open connections.",
            ["aloft_gateway_connections \(totals.connections)"])
        metric(
            "aloft_gateway_desired_revision", "gauge", "The desired state that is followed.",
            ["aloft_gateway_desired_revision \(totals.desiredRevision)"])
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
            "aloft_gateway_shadow_copies_total", "counter",
            "Copies of requests to a shadow by outcome: same, different, failed, dropped.",
            totals.shadows.flatMap(shadow))
        return text
    }

    private static func shadow(_ report: ShadowReport) -> [String] {
        let counts = report.counts
        let labels = "endpoint=\"\(report.endpoint)\",revision=\"\(report.revision)\""
        return [
            ("same", counts.compared - counts.differing), ("different", counts.differing),
            ("failed", counts.failed), ("dropped", counts.dropped),
        ].map { "aloft_gateway_shadow_copies_total{\(labels),outcome=\"\($0.0)\"} \($0.1)" }
    }

    private static func labels(_ reading: Fleet.ResidentReading) -> String {
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
    private static func histogram(_ reading: Fleet.ResidentReading) -> [String] {
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
