import AloftDomain
import Testing

@testable import AloftInference

/// What clients send follows the model's signature, whichever way the model is run.
struct InputContractTests {
    private typealias Tensor = ServableManifest.Tensor

    private static func signature(_ inputs: [Tensor]) throws -> ModelSignature {
        ModelSignature(
            inputs: try ModelSignature.signatures(inputs),
            outputs: [TensorSignature(name: "y", datatype: .fp32, shape: [-1])])
    }

    private static func column(_ name: String, _ datatype: String) -> Tensor {
        Tensor(name: name, datatype: datatype, shape: [-1, 1])
    }

    /// Columns of doubles and whole numbers.
    private static let columns = [column("age", "INT64"), column("income", "FP64")]

    /// The model of those as it is converted: one matrix of FP32.
    private static func matrix() throws -> (InputContract, ModelSignature) {
        let own = [Tensor(name: "input", datatype: "FP32", shape: [-1, 2])]
        let manifest = ServableManifest(
            runtime: .onnx, inputs: own, outputs: [], publicInputs: columns,
            columns: ["age", "income"])
        let signature = try signature(own)
        return (try #require(InputContract(manifest, own: signature)), signature)
    }

    /// The same model in a Python worker: an input a column.
    private static func worker() throws -> (InputContract, ModelSignature) {
        let manifest = ServableManifest(
            runtime: .python, inputs: columns, outputs: [], columns: ["age", "income"])
        let signature = try signature(columns)
        return (try #require(InputContract(manifest, own: signature)), signature)
    }

    private func read(
        _ contract: InputContract, _ inputs: String
    ) throws -> InferenceRequest {
        let request = InferenceRequest()
        try Array(#"{"inputs":[\#(inputs)]}"#.utf8).withUnsafeBytes {
            try InferRequestReader.read($0, signature: contract.forms, into: request)
        }
        try contract.cast(request)
        return request
    }

    private func values<Number: BitwiseCopyable>(
        _ request: InferenceRequest, _ index: Int, _: Number.Type
    ) -> [Number] {
        let tensors = request.tensors
        let bytes = tensors.bytes(tensors.entries[index])
        let size = MemoryLayout<Number>.size
        return stride(from: 0, to: bytes.count, by: size).map {
            bytes.loadUnaligned(fromByteOffset: $0, as: Number.self)
        }
    }

    private static let byColumn =
        #"{"name":"income","shape":[2,1],"datatype":"FP64","data":[0.1,2]},"#
        + #"{"name":"age","shape":[2],"datatype":"INT64","data":[41,42]}"#

    @Test func `both are published as the signature says`() throws {
        let inputs = ["age INT64", "income FP64"]
        for contract in [try Self.matrix().0, try Self.worker().0] {
            #expect(contract.published.map { "\($0.name) \($0.datatype.name)" } == inputs)
            #expect(contract.published.allSatisfy { $0.shape == [-1, 1] })
        }
    }

    @Test func `columns become the matrix that the converted model takes`() throws {
        let request = try read(Self.matrix().0, Self.byColumn)
        let tensors = request.tensors
        #expect(tensors.entries.count == 1)
        #expect(Array(tensors.shape(tensors.entries[0])) == [2, 2])
        #expect(values(request, 0, Float.self) == [41, 0.1, 42, 2])
    }

    @Test func `columns go to a worker as they are, in its order`() throws {
        let request = try read(Self.worker().0, Self.byColumn)
        #expect(request.tensors.entries.map(\.datatype) == [.int64, .fp64])
        #expect(values(request, 0, Int64.self) == [41, 42])
        #expect(values(request, 1, Double.self) == [0.1, 2])
    }

    @Test(arguments: ["FP32", "FP64", "INT32"])
    func `a table in one tensor is taken by both`(datatype: String) throws {
        let table = #"{"name":"input","shape":[2,2],"datatype":"\#(datatype)","data":[1,2,3,4]}"#
        #expect(values(try read(Self.matrix().0, table), 0, Float.self) == [1, 2, 3, 4])
        let columns = try read(Self.worker().0, table)
        #expect(values(columns, 0, Int64.self) == [1, 3])
        #expect(values(columns, 1, Double.self) == [2, 4])
    }

    @Test(arguments: [
        // Not the number that the signature's datatype holds.
        (#"{"name":"age","shape":[1,1],"datatype":"FP64","data":[41.5]}"#, "41.5"),
        (#"{"name":"age","shape":[1,1],"datatype":"FP64","data":[null]}"#, "nan"),
        (#"{"name":"age","shape":[1,1],"datatype":"UINT64","data":[9223372036854775808]}"#, "9223"),
    ])
    func `what is no value of the signature's datatype is refused`(
        age: String, said: String
    ) throws {
        let income = #"{"name":"income","shape":[1,1],"datatype":"FP64","data":[1]}"#
        for contract in [try Self.matrix().0, try Self.worker().0] {
            let error = #expect(throws: InferenceError.self) {
                try read(contract, "\(age),\(income)")
            }
            #expect(error?.code == "bad_contents")
            #expect(error?.message.contains(said) == true, "\(error?.message ?? "")")
        }
    }

    @Test func `what the model cannot be run with is refused, not made infinite`() throws {
        let huge =
            #"{"name":"age","shape":[1,1],"datatype":"INT64","data":[1]},"#
            + #"{"name":"income","shape":[1,1],"datatype":"FP64","data":[1e300]}"#
        let error = #expect(throws: InferenceError.self) { try read(Self.matrix().0, huge) }
        #expect(error?.message.contains("beyond what the model is run with (FP32)") == true)
        #expect(values(try read(Self.worker().0, huge), 1, Double.self) == [1e300])
    }

    @Test func `a narrower signature takes only what it holds`() throws {
        let own = [Tensor(name: "x", datatype: "FP32", shape: [-1, 2])]
        let manifest = ServableManifest(runtime: .onnx, inputs: own, outputs: [])
        let contract = try #require(InputContract(manifest, own: try Self.signature(own)))
        let half = #"{"name":"x","shape":[1,2],"datatype":"FP64","data":[0.5,-2]}"#
        #expect(values(try read(contract, half), 0, Float.self) == [0.5, -2])
        let tenth = #"{"name":"x","shape":[1,2],"datatype":"FP64","data":[0.1,1]}"#
        let error = #expect(throws: InferenceError.self) { try read(contract, tenth) }
        #expect(error?.message.contains("value 0, 0.1, came as FP64") == true)
    }

    @Test(arguments: [
        (#"{"name":"income","shape":[1,1],"datatype":"FP64","data":[1]}"#, "missing_input"),
        (
            #"{"name":"income","shape":[1,1],"datatype":"BYTES","data":["1"]}"#, "wrong_datatype"
        ),
        (#"{"name":"incom","shape":[1,1],"datatype":"FP64","data":[1]}"#, "unknown_input"),
        (
            #"{"name":"age","shape":[1,1],"datatype":"INT64","data":[1]},"#
                + #"{"name":"income","shape":[2,1],"datatype":"FP64","data":[1,2]}"#, "bad_table"
        ),
        (
            #"{"name":"age","shape":[1,1],"datatype":"INT64","data":[1]},"#
                + #"{"name":"input","shape":[1,2],"datatype":"FP64","data":[1,2]}"#, "bad_table"
        ),
        (#"{"name":"input","shape":[1,3],"datatype":"FP64","data":[1,2,3]}"#, "wrong_shape"),
    ])
    func `what is no request of the signature is refused alike`(
        inputs: String, code: String
    ) throws {
        let error = #expect(throws: InferenceError.self) { try read(Self.matrix().0, inputs) }
        #expect(error?.code == code, "\(error?.message ?? "")")
    }

    @Test func `what the model itself takes needs no cast`() throws {
        let (_, own) = try Self.matrix()
        let request = InferenceRequest()
        try Array(
            #"{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#.utf8
        ).withUnsafeBytes { try InferRequestReader.read($0, signature: own, into: request) }
        #expect(values(request, 0, Float.self) == [1, 2])
    }

    @Test func `two inputs of a mixed table are known by their names`() throws {
        let own = [Self.column("city", "BYTES"), Self.column("income", "FP32")]
        let said = [Self.column("city", "BYTES"), Self.column("income", "FP64")]
        let manifest = ServableManifest(
            runtime: .onnx, inputs: own, outputs: [], publicInputs: said,
            columns: ["city", "income"])
        let contract = try #require(InputContract(manifest, own: try Self.signature(own)))
        #expect(contract.published.map(\.datatype) == [.bytes, .fp64])
        let request = try read(
            contract,
            #"{"name":"city","shape":[2,1],"datatype":"BYTES","data":["a","bc"]},"#
                + #"{"name":"income","shape":[2,1],"datatype":"FP64","data":[0.1,null]}"#)
        let incomes = values(request, 1, Float.self)
        #expect(incomes[0] == 0.1 && incomes[1].isNaN)
        #expect(request.tensors.strings(request.tensors.entries[0])?.map { $0.count } == [1, 2])
    }
}
