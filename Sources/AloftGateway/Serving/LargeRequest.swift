import AloftInference
import AloftWire
import NIOCore

/// A large prediction as a thread beside the event loops does it.
struct LargeRequest: Sendable {
    enum Form: Sendable {
        case scoring(contentType: String)
        case tensors(jsonLength: Int?)
        case message
    }

    enum Outcome: Sendable {
        case failed(InferenceError)
        /// Its tensors are there; the model is still to be asked.
        case read(ScoringRequest?)
        /// A model that is asked on the event loop otherwise has answered.
        case answered(ScoringRequest?, Result<LargeReply, InferenceError>)
    }

    let form: Form
    let body: ByteBuffer?
    let revision: LoadedRevision
    let request: InferenceRequest
    let reply: TensorSet

    func run() -> Outcome {
        do throws(InferenceError) {
            let scoring = try read()
            guard case .inline = revision.execution else { return .read(scoring) }
            if let fault = revision.rules?.fault(in: request.tensors) { throw fault }
            try revision.runner.run(request, into: reply)
            return .answered(scoring, LargeReply.write(self, scoring))
        } catch {
            return .failed(error)
        }
    }

    private func read() throws(InferenceError) -> ScoringRequest? {
        let result = (body ?? ByteBuffer()).withUnsafeReadableBytes { bytes in
            Result { () throws(InferenceError) in try read(bytes) }
        }
        return try result.get()
    }

    private func read(_ bytes: UnsafeRawBufferPointer) throws(InferenceError) -> ScoringRequest? {
        switch form {
        case .scoring(let contentType):
            return try ScoringRequest(
                bytes, of: body, contentType: contentType, revision: revision, into: request)
        case .tensors(let jsonLength):
            try revision.read(bytes, jsonLength: jsonLength, into: request)
        case .message: try revision.read(message: bytes, into: request)
        }
        return nil
    }
}

/// A large answer as it is sent, but for its head, for which there is room before it.
struct LargeReply: Sendable {
    static let headRoom = 2048

    var bytes: ByteBuffer
    /// The length of the JSON part where binary tensors follow.
    let jsonLength: Int?

    /// - Returns: a failure where the answer is more than one buffer holds.
    static func write(
        _ work: LargeRequest, _ scoring: ScoringRequest?
    ) -> Result<LargeReply, InferenceError> {
        let (revision, request, reply) = (work.revision, work.request, work.reply)
        if case .message = work.form {
            let plan = revision.messages.plan(request, reply)
            return write(bound: plan.byteCount, headRoom: 0) { writer in
                revision.messages.write(request, reply, plan, to: &writer)
                return nil
            }
        }
        if let fault = scoring?.fault(in: reply) { return .failure(fault) }
        let bound = scoring?.bound(reply) ?? revision.replies.bound(request, reply)
        return write(bound: bound, headRoom: headRoom) { writer in
            guard let scoring else { return revision.replies.write(request, reply, to: &writer) }
            scoring.write(reply, to: &writer)
            return nil
        }
    }

    private static func write(
        bound: Int, headRoom: Int, _ body: (inout ByteWriter) -> Int?
    ) -> Result<LargeReply, InferenceError> {
        guard bound <= LargeBodies.answerLimitBytes else { return .failure(.answerTooLarge(bound)) }
        var bytes = ByteBuffer()
        var jsonLength: Int?
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: headRoom + max(bound, 1)) {
            let memory = UnsafeMutableRawBufferPointer(rebasing: $0[headRoom...])
            var writer = ByteWriter(memory)
            jsonLength = body(&writer)
            return headRoom + writer.count
        }
        bytes.moveReaderIndex(forwardBy: headRoom)
        return .success(LargeReply(bytes: bytes, jsonLength: jsonLength))
    }
}

extension InferenceError {
    static func answerTooLarge(_ bound: Int) -> InferenceError {
        .modelFailed(
            reason: "its answer takes up to \(bound) bytes; at most "
                + "\(LargeBodies.answerLimitBytes) are sent. Ask for fewer rows at once")
    }
}
