import AloftInference
import NIOCore
import Testing

/// What waits takes no more memory than it may, whoever comes.
@Suite struct RequestQueueMemoryTests {
    private static let mebibyte = 1 << 20

    /// - Parameter held: about what it holds as it waits, of which its tensors are a third.
    private func call(_ priority: RequestPriority, bytes held: Int) -> QueuedRequest {
        let bytes = (held - 8192) / 3
        let request = InferenceRequest()
        request.tensors.append(
            place: 0, datatype: .uint8, dimensions: [1, Int64(bytes)], elementCount: bytes,
            byteCount: bytes
        ).initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        return QueuedRequest(
            request: request, reply: TensorSet(), priority: priority, deadline: .distantFuture,
            deadlineMilliseconds: 1000, queuedAt: .now(), finish: { _ in })
    }

    private let estimate = AdmissionPolicy.LatencyEstimate(
        nanosecondsUntilFree: 1e6, runners: 1, batchNanoseconds: 1e6, loneNanoseconds: 1e6)

    /// - Returns: how many had to go; `nil` where it was refused.
    private func join(_ queue: inout RequestQueue, _ call: QueuedRequest) -> Int? {
        guard case .waits(let displaced) = queue.join(call, estimate, now: .now()) else {
            return nil
        }
        return displaced.count
    }

    @Test(arguments: [4e8, nil])
    func `a higher priority displaces what makes room for it, and no queue grows by that`(
        target: Double?
    ) {
        var queue = RequestQueue(
            policy: AdmissionPolicy(limit: 1000, targetNanoseconds: target),
            limitBytes: 8 * Self.mebibyte)
        for _ in 0..<7 { #expect(join(&queue, call(.low, bytes: Self.mebibyte)) == 0) }
        let full = queue.waiting.heldBytes
        // As small: one for one, or none where there is room.
        #expect(join(&queue, call(.high, bytes: Self.mebibyte)) ?? 9 <= 1)
        #expect(queue.waiting.heldBytes <= full + Self.mebibyte)
        for _ in 0..<20 {
            _ = join(&queue, call(.high, bytes: 3 * Self.mebibyte))
            #expect(queue.waiting.heldBytes <= 8 * Self.mebibyte)
        }
        #expect(queue.waiting.counts[.low] < 6)
        // What no displacing makes room for displaces nobody.
        let waiting = queue.waiting.counts.total
        #expect(join(&queue, call(.high, bytes: 8 * Self.mebibyte)) == nil)
        #expect(queue.waiting.counts.total == waiting)
    }

    @Test func `one may wait, however large`() {
        var queue = RequestQueue(
            policy: AdmissionPolicy(limit: 1000, targetNanoseconds: 4e8), limitBytes: Self.mebibyte)
        #expect(join(&queue, call(.low, bytes: 2 * Self.mebibyte)) == 0)
        #expect(join(&queue, call(.high, bytes: 3 * Self.mebibyte)) == 1)
        #expect(join(&queue, call(.high, bytes: 3 * Self.mebibyte)) == nil)
    }
}
