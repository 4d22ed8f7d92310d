import AloftClient
import AloftDomain
import AloftTransfer

/// Ends the program with a sentence on standard error.
struct CommandFailure: Error {
    let message: String
    /// 1: the thing failed; 2: wrong usage.
    let status: Int32

    init(_ message: String, status: Int32 = 1) {
        self.message = message
        self.status = status
    }

    static func usage(_ message: String) -> CommandFailure { CommandFailure(message, status: 2) }
}

enum PlainError {
    /// An error in a person's words.
    static func text(of error: any Error) -> String {
        switch error {
        case let error as ClientError: error.message
        case let error as any Refusal: error.message
        case let error as SourceError: error.message
        case let error as DecodingError: "what was read cannot be taken: \(ErrorWords.of(error))"
        case is EncodingError: "what is to be written cannot be written as JSON"
        case is CancellationError: "it was stopped"
        default:
            ErrorWords.own(error)
                ?? "something unexpected went wrong (\(type(of: error))); this is a fault of aloft"
        }
    }
}
