package import NIOCore

/// The body of an MLflow scoring request as it came. Python models get it whole: MLflow's own code reads it
/// beside the model, and writes the answer.
package final class ScoringDocument: Sendable {
    package let body: ByteBuffer
    package let contentType: String

    package init(body: ByteBuffer, contentType: String) {
        self.body = body
        self.contentType = contentType
    }
}
