import Foundation

/// Errors of others in a person's words. How a type prints that says nothing of itself is the
/// program's insides, which help nobody.
package enum ErrorWords {
    /// What is wrong with what was read.
    package static func of(_ error: DecodingError) -> String {
        let context: DecodingError.Context
        switch error {
        case .keyNotFound(let key, let at):
            return "\(path(at.codingPath + [key])) is missing"
        case .typeMismatch(_, let at), .valueNotFound(_, let at), .dataCorrupted(let at):
            context = at
        @unknown default: return "it cannot be read"
        }
        guard !context.codingPath.isEmpty else { return "it is not the JSON that was expected" }
        return "\(path(context.codingPath)) is not as expected"
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
    }

    /// What an error says of itself, else `nil`. Any error can be cast to a type that describes
    /// itself, by way of `NSError`, so its own type is asked.
    package static func own(_ error: any Error) -> String? {
        if let error = error as? DecodingError { return of(error) }
        if let text = (error as? any LocalizedError)?.errorDescription { return text }
        let type: Any.Type = type(of: error)
        if type is NSError.Type || type is CocoaError.Type || type is POSIXError.Type
            || type is URLError.Type
        {
            return error.localizedDescription
        }
        guard type is any CustomStringConvertible.Type else { return nil }
        return String(describing: error)
    }
}
