package import AloftDomain
import Crypto
import Foundation

/// The secrets of jobs' tokens. One attempt has one secret however often its start is tried, and the
/// secret is stored nowhere: it follows from a key.
package enum JobTokens {
    /// - Parameter key: kept beside the data, never in the database.
    package static func secret(key: String, attempt: AttemptID) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("job token \(attempt)".utf8), using: SymmetricKey(data: Data(key.utf8)))
        return "aloft_" + ContentDigest(bytes: code).hex
    }
}
