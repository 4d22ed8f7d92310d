/// Several requests as one call of the model: their tensors joined along the first dimension, the
/// outputs split again.
package final class TensorBatch {
    private let request = InferenceRequest()
    private let reply = TensorSet()

    /// The places of the calls that can run with the first: the same inputs but for the first
    /// dimension, the same outputs, `rows` rows at most together. Those of other forms between them wait
    /// for a call of their own, which the first of them begins.
    package static func alike(
        _ calls: [QueuedRequest], rows: Int, signature: ModelSignature
    ) -> [Int] {
        guard let first = calls.first else { return [] }
        guard rows > 1, isBatchable(first.request, signature) else { return [0] }
        var left = rows - first.request.tensors.rowCount
        var places = [0]
        for (place, call) in calls.enumerated().dropFirst() {
            guard left > 0 else { break }
            let count = call.request.tensors.rowCount
            guard count <= left, areAlike(first.request, call.request) else { continue }
            left -= count
            places.append(place)
        }
        return places
    }

    /// Every input and output varies in its first dimension, every input has as many rows, and none
    /// is of strings.
    private static func isBatchable(
        _ request: InferenceRequest, _ signature: ModelSignature
    ) -> Bool {
        let tensors = request.tensors
        let rows = tensors.rowCount
        let outputs = request.wantedOutputs.compactMap {
            signature.output(at: Int(truncatingIfNeeded: $0))
        }
        return outputs.count == request.wantedOutputs.count
            && (signature.inputs + outputs).allSatisfy {
                $0.shape?.first == -1 && $0.datatype != .bytes
            }
            && tensors.entries.allSatisfy {
                $0.rank > 0 && tensors.shape($0).first == Int64(clamping: rows)
            }
    }

    private static func areAlike(_ left: InferenceRequest, _ right: InferenceRequest) -> Bool {
        guard left.wantedOutputs == right.wantedOutputs,
            left.tensors.entries.count == right.tensors.entries.count
        else { return false }
        let rows = right.tensors.rowCount
        return zip(left.tensors.entries, right.tensors.entries).allSatisfy { one, other in
            one.place == other.place && one.datatype == other.datatype && one.rank == other.rank
                && right.tensors.shape(other).first == Int64(clamping: rows)
                && left.tensors.shape(one).dropFirst().elementsEqual(
                    right.tensors.shape(other).dropFirst())
        }
    }

    /// Runs the calls as one and finishes them all; false, and none finished, where the model fails
    /// on the whole or gives outputs that cannot be split, so that each must be tried alone.
    func run(_ calls: [QueuedRequest], _ runner: any ModelRunner) -> Bool {
        join(calls)
        do throws(InferenceError) {
            try runner.run(request, into: reply)
        } catch {
            return false
        }
        let rows = calls.map(\.request.tensors.rowCount)
        let total = Int64(clamping: rows.reduce(0, +))
        guard reply.entries.allSatisfy({ $0.rank > 0 && reply.shape($0).first == total }) else {
            return false
        }
        var start = 0
        for (call, count) in zip(calls, rows) {
            split(from: start, count: count, of: Int(clamping: total), into: call.reply)
            start += count
            call.finish(.success(()))
        }
        return true
    }

    private func join(_ calls: [QueuedRequest]) {
        request.reset()
        guard let first = calls.first?.request else { return }
        request.wantedOutputs = first.wantedOutputs
        let rows = calls.reduce(0) { $0 + $1.request.tensors.rowCount }
        for (index, entry) in first.tensors.entries.enumerated() {
            let parts = calls.map { ($0.request.tensors, $0.request.tensors.entries[index]) }
            var target = request.tensors.append(
                place: entry.place, datatype: entry.datatype,
                dimensions: [Int64(clamping: rows)] + first.tensors.shape(entry).dropFirst(),
                elementCount: parts.reduce(0) { $0 + $1.1.elementCount },
                byteCount: parts.reduce(0) { $0 + $1.1.byteCount })
            for (tensors, part) in parts {
                target.copyBytes(from: tensors.bytes(part))
                target += part.byteCount
            }
        }
    }

    private func split(from start: Int, count: Int, of total: Int, into target: TensorSet) {
        target.reset()
        for entry in reply.entries {
            let rowBytes = entry.byteCount / max(total, 1)
            let slice = UnsafeRawBufferPointer(
                rebasing: reply.bytes(entry)[start * rowBytes..<(start + count) * rowBytes])
            target.append(
                place: entry.place, datatype: entry.datatype,
                dimensions: [Int64(clamping: count)] + reply.shape(entry).dropFirst(),
                elementCount: entry.elementCount / max(total, 1) * count, byteCount: slice.count
            ).copyBytes(from: slice)
        }
    }
}
