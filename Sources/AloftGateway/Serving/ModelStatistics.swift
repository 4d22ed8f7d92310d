import AloftDomain
import AloftInference
import AloftWire
import Foundation
import NIOCore
import Synchronization

/// What a version of a deployment answered in this gateway, as Triton's statistics extension has it.
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
    /// The time from a request's last byte to its answer, of good ones and of failures.
    package let success: Duration
    package let failure: Duration
    /// From a request's last byte until it is the model's or its queue's.
    package let input: Duration
    /// In the queue; models that run on the event loop have none.
    package let queue: Duration
    /// In the call of the model that a request had its part in; of Python models with the way to the worker
    /// and back.
    package let inference: Duration
    /// What is left of `success`: to the event loop, and into the answer.
    package let output: Duration

    /// Each with its name in Triton's protocol, in the order of the fields of its messages.
    package var parts: [(name: String, duration: Duration)] {
        [
            ("success", success), ("fail", failure), ("queue", queue), ("compute_input", input),
            ("compute_infer", inference), ("compute_output", output),
        ]
    }
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
        let asked = reading.requests - min(reading.errors, reading.requests)
        let queue = queueStatistics
        let batches = queue?.batches.reduce(0, &+) ?? 0
        let queued = queue?.queuedNanoseconds ?? 0
        let inQueue = queued &+ (queue?.ranNanoseconds ?? 0)
        let share = reading.share(
            of: asked,
            within: reading.answeredNanoseconds - min(inQueue, reading.answeredNanoseconds))
        func ofAll(_ nanoseconds: UInt64) -> UInt64 {
            UInt64(exactly: (Double(nanoseconds) * share).rounded(.down)) ?? nanoseconds
        }
        let read = ofAll(reading.readNanoseconds)
        let ran = ofAll(reading.ranNanoseconds) &+ (queue?.ranNanoseconds ?? 0)
        let before = read &+ queued &+ ran
        func answered(_ nanoseconds: UInt64) -> ModelStatistics.Duration {
            .init(count: asked, nanoseconds: nanoseconds)
        }
        let quiet =
            NIODeadline.now() - NIODeadline.uptimeNanoseconds(lastUsed.load(ordering: .relaxed))
        let last = now.millisecondsSince1970 - quiet.nanoseconds / 1_000_000
        return ModelStatistics(
            name: name, version: served.modelVersion,
            lastInferenceMilliseconds: reading.requests == 0 ? 0 : UInt64(clamping: last),
            inferences: asked, executions: batches == 0 ? asked : batches,
            success: answered(reading.answeredNanoseconds),
            failure: .init(count: reading.errors, nanoseconds: reading.failedNanoseconds),
            input: answered(read), queue: answered(queued),
            inference: answered(ran),
            output: answered(
                reading.answeredNanoseconds - min(before, reading.answeredNanoseconds)))
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
