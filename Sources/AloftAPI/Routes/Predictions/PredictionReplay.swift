import AloftControl
package import AloftDomain
import AloftPredictionLog
import AloftWire
package import Foundation

/// Asks what was asked before once more, of any version of the model.
package struct PredictionReplay: Sendable {
    /// A question for a registered version, as it came in.
    package struct Question: Sendable {
        package var version: ModelVersionKey
        /// MLflow scoring rather than the Open Inference Protocol.
        package var isScoring: Bool
        /// `PredictionForm.messageType` where the body is a message of gRPC.
        package var contentType: String
        /// Where the JSON ends and binary tensors begin.
        package var jsonLength: Int?
        package var body: Data
    }

    /// Asks a gateway as the bearer of a token. The version gets no traffic by it.
    package typealias Ask =
        @Sendable (_ question: Question, _ token: String?) async throws -> TryRoutes.Answer

    let ask: Ask?

    init(ask: Ask?) { self.ask = ask }

    /// - Throws: `PredictionError`, `TryError`.
    func answer(
        _ prediction: LoggedPrediction, version: Int?, token: String?
    ) async throws -> ReplayPrediction.Reply {
        guard let ask else { throw TryError.noGateway }
        let question = try Self.question(prediction, version: version)
        let answer = try await ask(question, token)
        // A refusal of the question itself is an answer; these say that nothing could be asked.
        if [401, 403, 404, 503].contains(answer.status) {
            let text = AnswerText.values(answer.body, status: answer.status)?.stringValue
            throw PredictionError.noAnswer(reason: text ?? "the gateway said \(answer.status)")
        }
        return Self.reply(prediction, question.version.version, answer)
    }

    private static func question(
        _ prediction: LoggedPrediction, version: Int?
    ) throws -> Question {
        if prediction.isRequestCut {
            throw PredictionError.notReplayable(
                id: prediction.id,
                reason: "only \(prediction.request.count) of its \(prediction.requestBytes) bytes "
                    + "were logged")
        }
        guard let number = version ?? Int(prediction.modelVersion) else {
            throw PredictionError.notReplayable(
                id: prediction.id, reason: "its version \(prediction.modelVersion) is no number")
        }
        let key = ModelVersionKey(model: prediction.modelName, version: number)
        switch prediction.form {
        case .json, .binary:
            return Question(
                version: key, isScoring: false, contentType: "application/json",
                jsonLength: prediction.jsonLength, body: prediction.request)
        case .scoring:
            let isCSV = prediction.request.first { $0 > 0x20 } != UInt8(ascii: "{")
            return Question(
                version: key, isScoring: true, contentType: isCSV ? "text/csv" : "application/json",
                jsonLength: nil, body: prediction.request)
        case .grpc:
            return Question(
                version: key, isScoring: false, contentType: PredictionForm.messageType,
                jsonLength: nil, body: prediction.request)
        }
    }

    private static func reply(
        _ prediction: LoggedPrediction, _ version: Int, _ answer: TryRoutes.Answer
    ) -> ReplayPrediction.Reply {
        let comparison = comparison(prediction, answer)
        let reason = comparison?.notComparable.map { theirs in
            "not comparable: version \(prediction.modelVersion) answered \(theirs.before), version "
                + "\(version) \(theirs.after)"
        }
        return ReplayPrediction.Reply(
            prediction: prediction.id, model: prediction.modelName,
            versionBefore: prediction.modelVersion, versionAfter: version,
            statusBefore: prediction.status, statusAfter: answer.status,
            before: PredictionBody(responseOf: prediction),
            after: PredictionBody(answer, form: prediction.form),
            compared: comparison?.compared ?? 0, differing: comparison?.differing ?? 0,
            largest: comparison?.largest.map {
                .init(place: $0.place, before: $0.before, after: $0.after, size: $0.size)
            },
            isEqual: reason == nil && comparison?.differing == 0
                && prediction.status == answer.status,
            notCompared: comparison == nil
                ? "only \(prediction.response.count) of the \(prediction.responseBytes) bytes of the "
                    + "first answer were logged" : reason)
    }

    /// `nil` where too little is known of the first answer.
    private static func comparison(
        _ prediction: LoggedPrediction, _ answer: TryRoutes.Answer
    ) -> AnswerComparison? {
        guard !prediction.isResponseCut else { return nil }
        let before =
            prediction.responseMessage.map(AnswerText.values)
            ?? AnswerText.values(prediction.response, status: prediction.status)
        let after =
            answer.message(prediction.form).map(AnswerText.values)
            ?? AnswerText.values(answer.body, status: answer.status)
        // Answers that cannot be read as values are the same or not as a whole.
        return AnswerComparison(
            before ?? .string(prediction.response.base64EncodedString()),
            after ?? .string(answer.body.base64EncodedString()),
            root: prediction.form == .scoring ? "predictions" : "outputs")
    }
}
