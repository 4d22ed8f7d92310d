import AloftDomain
import AloftInference
import NIOCore

/// Requests as tensors of the model. The form that the model itself takes is read at once; only what is
/// not that is read again in the forms that its signature allows, and cast.
extension LoadedRevision {
    /// A request of the Open Inference Protocol in JSON.
    @inline(__always)
    func read(
        _ bytes: UnsafeRawBufferPointer, jsonLength: Int? = nil, into request: InferenceRequest
    ) throws(InferenceError) {
        do throws(InferenceError) {
            try InferRequestReader.read(
                bytes, jsonLength: jsonLength, signature: signature, into: request)
        } catch {
            try readAgain(error, request) { (forms, request) throws(InferenceError) in
                try InferRequestReader.read(
                    bytes, jsonLength: jsonLength, signature: forms, into: request)
            }
        }
        if takesColumns { try checkLengths(request.tensors) }
    }

    /// A message `ModelInferRequest`.
    @inline(__always)
    func read(
        message bytes: UnsafeRawBufferPointer, into request: InferenceRequest
    ) throws(InferenceError) {
        do throws(InferenceError) {
            try InferMessageReader.read(bytes, signature: signature, into: request)
        } catch {
            try readAgain(error, request) { (forms, request) throws(InferenceError) in
                try InferMessageReader.read(bytes, signature: forms, into: request)
            }
        }
        if takesColumns { try checkLengths(request.tensors) }
    }

    /// The model would fail on columns of several lengths, and that would speak against its revision.
    private func checkLengths(_ tensors: TensorSet) throws(InferenceError) {
        guard let first = tensors.entries.first else { return }
        for entry in tensors.entries where entry.elementCount != first.elementCount {
            let names = [entry, first].map { signature.input(at: $0.place)?.name ?? "" }
            throw .badTable(
                reason: "Column \"\(names[0])\" has \(entry.elementCount) values, column "
                    + "\"\(names[1])\" has \(first.elementCount).")
        }
    }

    /// In the forms of the signature, else as a table, a tensor a column.
    private func readAgain(
        _ error: InferenceError, _ request: InferenceRequest,
        _ read: (ModelSignature, InferenceRequest) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        do throws(InferenceError) {
            guard let contract, error.isOfForm else { throw error }
            try read(contract.forms, request)
            try contract.cast(request)
        } catch {
            guard let columns else { throw error }
            try columns.read(into: request, after: error, read)
        }
    }

    /// A body of any form, for a revision that did not get it first.
    func read(
        _ body: ByteBuffer, form: PredictionForm, jsonLength: Int? = nil,
        into request: InferenceRequest
    ) throws(InferenceError) {
        request.tensors.missingText = missingText
        let result = body.withUnsafeReadableBytes { bytes in
            Result { () throws(InferenceError) in
                try read(bytes, of: body, form: form, jsonLength: jsonLength, into: request)
            }
        }
        try result.get()
    }

    private func read(
        _ bytes: UnsafeRawBufferPointer, of body: ByteBuffer, form: PredictionForm,
        jsonLength: Int?, into request: InferenceRequest
    ) throws(InferenceError) {
        switch form {
        case .grpc: try read(message: bytes, into: request)
        case .scoring:
            _ = try ScoringRequest(
                bytes, of: body, contentType: Self.scoringType(bytes), revision: self,
                into: request)
        case .json: try read(bytes, jsonLength: nil, into: request)
        case .binary:
            if let jsonLength {
                return try read(bytes, jsonLength: jsonLength, into: request)
            }
            // The JSON ends where its outermost object does.
            var cursor = JSONCursor(bytes)
            try cursor.skipValue()
            try read(bytes, jsonLength: cursor.position, into: request)
        }
    }

    /// What a body of MLflow scoring is, told by how it begins.
    private static func scoringType(_ bytes: UnsafeRawBufferPointer) -> String {
        let blanks = Array(" \t\r\n\u{FEFF}".utf8)
        let start = bytes.prefix(64).drop { blanks.contains($0) }
        if start.first == UInt8(ascii: "{") { return "application/json" }
        return start.starts(with: "PAR1".utf8) ? "application/vnd.apache.parquet" : "text/csv"
    }
}
