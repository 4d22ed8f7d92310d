/// What is refused about predictions.
package enum PredictionError: Refusal, Equatable {
    case notFound(String)
    case invalidID(String)
    /// It may be in a block whose bytes are no longer what they were.
    case blockDamaged(id: String, file: String, place: Int64)
    /// A delivery of a gateway's log that is no log from this byte on.
    case damaged(offset: Int64, reason: String)
    case invalidPlace(String)
    case invalidTime(name: String, value: String)
    case invalidCursor(String)
    case notReplayable(id: String, reason: String)
    case noAnswer(reason: String)

    package var code: String {
        switch self {
        case .notFound: "prediction_not_found"
        case .invalidID: "prediction_id_invalid"
        case .blockDamaged: "block_damaged"
        case .damaged: "prediction_log_damaged"
        case .invalidPlace: "prediction_log_place_invalid"
        case .invalidTime: "time_invalid"
        case .invalidCursor: "cursor_invalid"
        case .notReplayable: "prediction_not_replayable"
        case .noAnswer: "replay_failed"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .notFound: .notFound
        case .blockDamaged: .damaged
        case .invalidID, .damaged, .invalidPlace, .invalidTime, .invalidCursor: .invalid
        case .notReplayable: .conflict
        case .noAnswer: .unavailable
        }
    }

    package var message: String {
        switch self {
        case .notFound(let id):
            "there is no prediction \(id) here: it was not logged (see the deployment's sampling), "
                + "is not sent yet (gateways send within seconds), or is older than what is kept"
        case .invalidID(let text):
            "\(text.prefix(100)) is no prediction: expected the 28 hexadecimal digits of the "
                + "header X-Aloft-Prediction-Id"
        case .blockDamaged(let id, let file, let place):
            "\(id) cannot be read: the block at byte \(place) of predictions/\(file) in the data folder "
                + "is damaged or gone. Put the file back from a backup."
        case .damaged(let offset, let reason): "the log is damaged at byte \(offset): \(reason)"
        case .invalidPlace(let text):
            "\(text.prefix(100)): expected numbers of a segment and of a byte in it"
        case .invalidTime(let name, let value):
            "\(name)=\(value.prefix(100)): expected a time as in 2026-11-24T12:00:00Z"
        case .invalidCursor(let text):
            "before=\(text.prefix(100)): expected what `next` of an earlier reply said"
        case .notReplayable(let id, let reason): "\(id) cannot be answered again: \(reason)"
        case .noAnswer(let reason): reason
        }
    }
}
