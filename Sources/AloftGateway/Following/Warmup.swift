import AloftDomain
import AloftInference
import Foundation
import NIOCore

/// A few calls before any traffic.
struct Warmup {
    private let runner: any ModelRunner
    private let row: InferenceRequest
    /// Whether the row comes from the model's own example, so that a failure says something.
    private let isExample: Bool
    /// Whether the model was compared with its original row by row.
    private let isCompared: Bool

    private static let discarded = 10
    private static let measured = 200
    private static let longest = TimeAmount.seconds(1)

    init(runner: any ModelRunner, manifest: ServableManifest) throws {
        self.runner = runner
        let request = InferenceRequest()
        request.tensors.missingText = manifest.missingText.map { Array($0.utf8) }
        if let example = manifest.example {
            let data = try JSONEncoder().encode(example)
            try data.withUnsafeBytes { bytes in
                try InferRequestReader.read(bytes, signature: runner.signature, into: request)
            }
            isExample = true
        } else {
            request.fillWithZeros(runner.signature)
            isExample = false
        }
        isCompared = manifest.parity != nil
        row = request.firstRow(runner.signature)
    }

    var rowElements: Int { row.tensors.elementCount }

    /// - Throws: `InferenceError` where the model fails on its own example.
    func measure() throws -> LatencyHistogram {
        var histogram = LatencyHistogram()
        let reply = TensorSet()
        do throws(InferenceError) {
            let begin = NIODeadline.now()
            // traps: both are constants
            for call in 0..<(Self.discarded + Self.measured) {
                let start = NIODeadline.now()
                if call > 1, start - begin > Self.longest { break }
                try runner.run(row, into: reply)
                let elapsed = NIODeadline.now() - start
                // A slow model is not run ten times for nothing: its second call counts.
                if call >= Self.discarded || (call > 0 && elapsed > .milliseconds(20)) {
                    histogram.record(microseconds: Double(elapsed.nanoseconds) / 1000)
                }
            }
        } catch {
            guard isExample else { return histogram }
            throw InferenceError.unloadable(
                reason: "it fails on its own example: \(error.message)")
        }
        return histogram
    }

    /// Whether rows in one call get what each gets alone, so that calls may be joined. Asked with two rows
    /// that differ: a model may make a mean of its rows.
    func answersByRow() -> Bool {
        guard let changed = row.changedRow(runner.signature) else { return false }
        if let answer = answersApart(row, changed) { return answer }
        // A made-up row need not make sense to the model.
        return isCompared && answersApart(row, row) ?? false
    }

    /// `nil` where the model does not take the rows.
    private func answersApart(_ row: InferenceRequest, _ other: InferenceRequest) -> Bool? {
        guard let double = row.followed(by: other, runner.signature) else { return nil }
        let alone = TensorSet()
        let beside = TensorSet()
        let together = TensorSet()
        guard (try? runner.run(row, into: alone)) != nil,
            (try? runner.run(other, into: beside)) != nil,
            (try? runner.run(double, into: together)) != nil
        else { return nil }
        return zip(alone.entries, together.entries).allSatisfy { one, two in
            two.byteCount == 2 * one.byteCount && two.rank > 0
                && together.shape(two).first == 2 && alone.shape(one).first == 1
        } && together.holds(alone, beside)
    }
}
