import AloftDomain
import AloftPredictionLog
import AloftWire
import Foundation

/// Bodies as people read them: messages of gRPC as the JSON that says the same.
extension PredictionBody {
    init(requestOf prediction: LoggedPrediction) {
        self.init(
            prediction.request, of: prediction.requestBytes, message: prediction.requestMessage)
    }

    init(responseOf prediction: LoggedPrediction) {
        self.init(
            prediction.response, of: prediction.responseBytes, message: prediction.responseMessage)
    }

    init(_ answer: TryRoutes.Answer, form: PredictionForm) {
        self.init(answer.body, of: answer.body.count, message: answer.message(form))
    }

    private init(_ data: Data, of sizeBytes: Int, message: InferMessage?) {
        let text = String(validating: message?.json ?? data, as: UTF8.self)
        self.init(
            text: text, base64: text == nil ? data.base64EncodedString() : nil,
            sizeBytes: sizeBytes, isCut: sizeBytes > data.count)
    }
}

extension TryRoutes.Answer {
    /// What it says, where it answers a prediction that came over gRPC.
    func message(_ form: PredictionForm) -> InferMessage? {
        form == .grpc && status == 200 ? InferMessage(body, .response) : nil
    }
}
