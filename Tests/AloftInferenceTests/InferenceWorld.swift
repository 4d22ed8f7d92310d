import AloftInference
import AloftTestKit
import Foundation

/// The fixtures' models, loaded with the real runtime.
func makeSession(_ name: String) throws -> OnnxSession {
    try OnnxSession(
        library: try OnnxLibrary(path: try ServingFixtures.runtimePath()),
        path: try ServingFixtures.path(name))
}

/// What the Python binding of the same runtime answered.
struct CancerFixture: Decodable {
    struct Answers: Decodable {
        let labels: [Int64]
        let probability_bits: [[UInt32]]
    }

    let rows: [[Double]]
    let row_bits: [[UInt32]]
    let logreg: Answers
    let mlp: Answers
    let gbdt: Answers

    static func load() throws -> CancerFixture {
        let path = try ServingFixtures.path("cancer.json")
        return try JSONDecoder().decode(
            CancerFixture.self, from: try Data(contentsOf: URL(fileURLWithPath: path)))
    }
}

func infer(_ body: String, _ session: OnnxSession) throws -> String {
    let request = InferenceRequest()
    var data = Data(body.utf8)
    try data.withUnsafeMutableBytes {
        try InferRequestReader.read(
            UnsafeRawBufferPointer($0), signature: session.signature, into: request)
    }
    let reply = TensorSet()
    try session.run(request, into: reply)
    return write(request, reply, session.signature)
}

func write(_ request: InferenceRequest, _ reply: TensorSet, _ signature: ModelSignature) -> String {
    let replies = InferReplyWriter(modelName: "m", modelVersion: "1", signature: signature)
    let bytes = [UInt8](unsafeUninitializedCapacity: replies.bound(request, reply)) {
        memory, count in
        var writer = ByteWriter(UnsafeMutableRawBufferPointer(memory))
        _ = replies.write(request, reply, to: &writer)
        count = writer.count
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// Reads a request for this signature and returns the error, if there is one.
func fault(_ body: String, _ signature: ModelSignature) -> InferenceError? {
    let data = Data(body.utf8)
    return data.withUnsafeBytes { bytes in
        do throws(InferenceError) {
            try InferRequestReader.read(bytes, signature: signature, into: InferenceRequest())
            return nil
        } catch {
            return error
        }
    }
}
