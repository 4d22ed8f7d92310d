import Testing

@testable import AloftDomain

/// Whether a version takes what clients send to the one before it.
struct InputChangeTests {
    private typealias Tensor = ServableManifest.Tensor

    private func manifest(_ inputs: [(String, String)]) -> ServableManifest {
        let tensors = inputs.map { Tensor(name: $0.0, datatype: $0.1, shape: [-1, 1]) }
        return ServableManifest(runtime: .python, inputs: tensors, outputs: [])
    }

    @Test func `how a version is run is no change`() {
        let columns = [("a", "FP64"), ("b", "FP64")]
        var converted = manifest(columns)
        converted.publicInputs = converted.inputs
        converted.inputs = [Tensor(name: "input", datatype: "FP32", shape: [-1, 2])]
        converted.columns = ["a", "b"]
        #expect(manifest(columns).brokenInput(from: converted) == nil)
        #expect(converted.brokenInput(from: manifest(columns)) == nil)
        // A version that was converted before manifests said what clients send.
        converted.publicInputs = nil
        #expect(manifest(columns).brokenInput(from: converted) == nil)
    }

    @Test(
        arguments: [
            (["a FP64"], ["a FP64"], nil),
            (["a FP64", "b INT64"], ["b INT64", "a FP64"], nil),
            (["a FP32"], ["a FP64"], nil),
            (["a INT32"], ["a INT64"], nil),
            (["a INT32"], ["a FP64"], nil),
            (["a UINT8"], ["a INT16"], nil),
            (["a FP64"], ["a FP32"], "\"a\" FP64 [-1, 1] became \"a\" FP32 [-1, 1]"),
            (["a INT64"], ["a FP64"], "\"a\" INT64 [-1, 1] became \"a\" FP64 [-1, 1]"),
            (["a UINT64"], ["a INT64"], "\"a\" UINT64 [-1, 1] became \"a\" INT64 [-1, 1]"),
            (["a FP64"], ["a BYTES"], "\"a\" FP64 [-1, 1] became \"a\" BYTES [-1, 1]"),
            (["a FP64", "b FP64"], ["a FP64"], "\"b\" FP64 [-1, 1] is gone"),
            (["a FP64"], ["a FP64", "b FP64"], "\"b\" FP64 [-1, 1] is new"),
            ([], ["a FP64"], nil),
        ] as [([String], [String], String?)])
    func `inputs may widen and change places, no more`(
        before: [String], now: [String], change: String?
    ) {
        func inputs(_ texts: [String]) -> [(String, String)] {
            texts.map { text in
                let parts = text.split(separator: " ").map(String.init)
                return (parts[0], parts[1])
            }
        }
        #expect(manifest(inputs(now)).brokenInput(from: manifest(inputs(before))) == change)
    }
}
