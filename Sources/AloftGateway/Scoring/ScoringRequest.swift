import AloftDomain
import AloftInference
import AloftWire
import NIOCore

/// A request of MLflow scoring, and how to answer it: `{"predictions": …}` with what the original
/// model's `predict` gives. A Python model gets the body as it came, and its answer goes out as it is: both
/// are MLflow's own.
struct ScoringRequest: Sendable {
    /// - Parameters:
    ///   - bytes: those of `body`.
    init(
        _ bytes: UnsafeRawBufferPointer, of body: ByteBuffer?, contentType: String,
        revision: LoadedRevision, into request: InferenceRequest
    ) throws(InferenceError) {
        if case .remote = revision.execution {
            request.reset()
            request.document = ScoringDocument(
                body: body ?? ByteBuffer(), contentType: String(contentType.prefix(1000)))
            return
        }
        let manifest = revision.served.servable.manifest
        try ScoringReader.read(
            bytes, isCSV: contentType.lowercased().begins(with: "text/csv"),
            signature: revision.signature, columns: manifest.columns, into: request)
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
        return reply.entries.reduce(64) { $0 + TensorJSONWriter.nestedBound($1, of: reply) }
    }

    func write(_ reply: TensorSet, to writer: inout ByteWriter) {
        if let document = reply.document { return writer.write(document) }
        writer.write("{\"predictions\":")
        if let entry = reply.entries.first {
            TensorJSONWriter.writeNested(entry, of: reply, to: &writer)
        } else {
            writer.write("[]")
        }
        writer.write("}")
    }
}
