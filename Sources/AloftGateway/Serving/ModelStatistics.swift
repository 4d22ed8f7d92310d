import AloftDomain
import AloftInference
import AloftWire
import Foundation
import NIOCore
import Synchronization

/// What a version of a deployment answered in this gateway, as Triton's statistics extension has it. What is
/// not measured apart (time in the queue, of reading and of writing) is counted as none.
package struct ModelStatistics: Sendable, Equatable {
    package struct Duration: Sendable, Equatable {
        package var count: UInt64
        package var nanoseconds: UInt64
    }

    package let name: String
    package let version: String
    /// Since 1970; 0 where nothing was asked.
    package let lastInferenceMilliseconds: UInt64
    /// Requests that were answered.
    package let inferences: UInt64
    /// Calls of the model: fewer where several requests shared one.
    package let executions: UInt64
    /// The time from a request's last byte to its answer. Reckoned from the histogram of latencies: of each
    /// bucket its upper bound, so at most 9.1 % too high.
    package let success: Duration
    package let failure: Duration
}

extension RoutingTable {
    /// Of all deployments, of one, or of one version of it.
    func statistics(
        _ name: String?, version: String?, now: Date
    ) throws(GatewayFailure) -> [ModelStatistics] {
        guard let name else {
            return endpoints.values.sorted { $0.served.name < $1.served.name }.flatMap { endpoint in
                endpoint.loaded.map { $0.statistics(endpoint.served.name, now: now) }
            }
        }
        let endpoint = try endpoint(name)
        guard let version, !version.isEmpty else {
            return endpoint.loaded.map { $0.statistics(name, now: now) }
        }
        return try revision(endpoint, version: version).map { [$0.statistics(name, now: now)] }
            ?? []
    }
}

extension LoadedRevision {
    fileprivate func statistics(_ name: String, now: Date) -> ModelStatistics {
        let reading = counters.read()
        let answered = reading.requests - min(reading.errors, reading.requests)
        let nanoseconds = reading.latency.counts.enumerated().reduce(0.0) { sum, bucket in
            sum + Double(bucket.element) * LatencyHistogram.boundMicroseconds(bucket.offset) * 1000
        }
        let batches = queueReading?.batches.reduce(0, &+) ?? 0
        let quiet =
            NIODeadline.now() - NIODeadline.uptimeNanoseconds(lastUsed.load(ordering: .relaxed))
        let last = now.millisecondsSince1970 - quiet.nanoseconds / 1_000_000
        return ModelStatistics(
            name: name, version: served.modelVersion,
            lastInferenceMilliseconds: reading.requests == 0 ? 0 : UInt64(clamping: last),
            inferences: answered, executions: batches == 0 ? answered : batches,
            success: .init(
                count: answered, nanoseconds: UInt64(exactly: nanoseconds.rounded()) ?? 0),
            failure: .init(count: reading.errors, nanoseconds: 0))
    }
}

extension Datatype {
    /// As Triton's model configuration writes it: `TYPE_FP32`.
    package var configurationName: String { self == .bytes ? "TYPE_STRING" : "TYPE_\(name)" }

    /// The number of the same in its protobuf.
    package var configurationNumber: Int {
        switch self {
        case .bool: 1
        case .uint8: 2
        case .uint16: 3
        case .uint32: 4
        case .uint64: 5
        case .int8: 6
        case .int16: 7
        case .int32: 8
        case .int64: 9
        case .fp16: 10
        case .fp32: 11
        case .fp64: 12
        case .bytes: 13
        case .bf16: 14
        }
    }
}
