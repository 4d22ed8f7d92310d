package import AloftDomain
package import Foundation

/// One answered request as the prediction log holds it.
package struct LoggedPrediction: Sendable, Equatable {
    package var id: String
    package var endpoint: String
    package var revision: RevisionID
    package var rolloutStep: Int?
    package var modelName: String
    package var modelVersion: String
    package var digest: String
    package var status: Int
    package var receivedAt: Date
    package var microseconds: Int
    package var request: Data
    package var response: Data
    package var form = PredictionForm.json
    /// Where the JSON of a request ends and binary tensors begin.
    package var jsonLength: Int?
    /// How long both were before they were cut to the log's limit, in bytes.
    package var requestBytes = 0
    package var responseBytes = 0
    package var trace: TraceParent?

    package init(
        id: String, endpoint: String, revision: RevisionID, rolloutStep: Int?, modelName: String,
        modelVersion: String, digest: String, status: Int, receivedAt: Date, microseconds: Int,
        request: Data, response: Data
    ) {
        self.id = id
        self.endpoint = endpoint
        self.revision = revision
        self.rolloutStep = rolloutStep
        self.modelName = modelName
        self.modelVersion = modelVersion
        self.digest = digest
        self.status = status
        self.receivedAt = receivedAt
        self.microseconds = microseconds
        self.request = request
        self.response = response
        requestBytes = request.count
        responseBytes = response.count
    }

    /// The messages, where they came over gRPC and are whole.
    package var requestMessage: InferMessage? {
        form == .grpc && !isRequestCut ? InferMessage(request, .request) : nil
    }

    package var responseMessage: InferMessage? {
        form == .grpc && status == 200 && !isResponseCut ? InferMessage(response, .response) : nil
    }

    package var isRequestCut: Bool { requestBytes > request.count }
    package var isResponseCut: Bool { responseBytes > response.count }
}
