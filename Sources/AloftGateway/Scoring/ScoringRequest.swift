import AloftDomain
import AloftInference
import AloftWire
import NIOCore

/// A request of MLflow scoring, and how to answer it: `{"predictions": …}` with what the original
/// model's `predict` gives. A Python model gets the body as it came, and its answer goes out as it is: both
/// are MLflow's own.
struct ScoringRequest: Sendable {
    private enum Answer {
        case output
        /// All outputs by their names, in an object.
        case object
        /// The same as a list of rows.
        case rows
    }

    private let answer: Answer
    /// The names of all outputs, quoted; empty where one alone is answered.
    private let names: [[UInt8]]

    /// - Parameters:
    ///   - bytes: those of `body`.
    init(
        _ bytes: UnsafeRawBufferPointer, of body: ByteBuffer?, contentType: String,
        revision: LoadedRevision, into request: InferenceRequest
    ) throws(InferenceError) {
        if case .remote = revision.execution {
            answer = .output
            names = []
            request.reset()
            request.document = ScoringDocument(
                body: body ?? ByteBuffer(), contentType: String(contentType.prefix(1000)))
            return
        }
        let manifest = revision.served.servable.manifest
        let isTable = try ScoringReader.form(
            bytes, isCSV: try ScoringType.isCSV(contentType), signature: revision.signature,
            columns: manifest.columns, kinds: revision.tableKinds, into: request)
        if let all = manifest.predictAll {
            answer = all == .rows && isTable ? .rows : .object
            names = revision.quotedOutputs
            request.wantedOutputs = revision.signature.outputs.indices.map {
                Int32(truncatingIfNeeded: $0)
            }
            return
        }
        answer = .output
        names = []
        let place = manifest.predictOutput.flatMap { revision.signature.outputPlace($0) } ?? 0
        guard revision.signature.output(at: place) != nil else {
            throw .unsupportedModel(
                reason:
                    "it does not say what it gives. Log it with an input_example, from which its "
                    + "outputs are known")
        }
        request.wantedOutputs = [Int32(truncatingIfNeeded: place)]
    }

    func bound(_ reply: TensorSet) -> Int {
        if let document = reply.document { return document.count }
        let names = names.reduce(0) { $0 + $1.count + 4 }
        let rows = answer == .rows ? reply.entries.map(\.elementCount).max() ?? 0 : 1
        return reply.entries.reduce(64 + rows * (names + 4)) {
            $0 + TensorJSONWriter.nestedBound($1, of: reply)
        }
    }

    /// What speaks against the answer; `nil` where it can be written.
    func fault(in reply: TensorSet) -> InferenceError? {
        guard answer == .rows, let first = reply.entries.first,
            let other = reply.entries.first(where: { $0.elementCount != first.elementCount })
        else { return nil }
        return .modelFailed(
            reason:
                "its outputs have \(first.elementCount) and \(other.elementCount) values, which "
                + "make no table. Send \"inputs\" by name instead of a table")
    }

    func write(_ reply: TensorSet, to writer: inout ByteWriter) {
        if let document = reply.document { return writer.write(document) }
        writer.write("{\"predictions\":")
        switch answer {
        case .output:
            if let entry = reply.entries.first {
                TensorJSONWriter.writeNested(entry, of: reply, to: &writer)
            } else {
                writer.write("[]")
            }
        case .object: writeObject(reply, to: &writer)
        case .rows: writeRows(reply, to: &writer)
        }
        writer.write("}")
    }

    private func writeObject(_ reply: TensorSet, to writer: inout ByteWriter) {
        for (position, (name, entry)) in zip(names, reply.entries).enumerated() {
            writer.write(UInt8(ascii: position == 0 ? "{" : ","))
            writer.write(name)
            writer.write(UInt8(ascii: ":"))
            TensorJSONWriter.writeWhole(entry, of: reply, to: &writer)
        }
        writer.write("}")
    }

    private func writeRows(_ reply: TensorSet, to writer: inout ByteWriter) {
        let columns = reply.entries.map { TensorJSONWriter.Elements($0, of: reply) }
        writer.write(UInt8(ascii: "["))
        for row in 0..<max(reply.entries.first?.elementCount ?? 0, 0) {
            if row > 0 { writer.write(UInt8(ascii: ",")) }
            for (position, (name, column)) in zip(names, columns).enumerated() {
                writer.write(UInt8(ascii: position == 0 ? "{" : ","))
                writer.write(name)
                writer.write(UInt8(ascii: ":"))
                column.write(row, to: &writer)
            }
            writer.write(UInt8(ascii: "}"))
        }
        writer.write(UInt8(ascii: "]"))
    }
}
