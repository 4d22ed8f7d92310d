import Testing

@testable import AloftInference

/// What an ONNX file itself says, and requests that are nothing but its input.
@Suite struct OnnxFileTests {
    private func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [number << 3 | 2, UInt8(bytes.count)] + bytes
    }

    /// `ValueInfoProto`: a tensor of floats with a shape of no dimensions, or without a shape.
    private func value(_ name: String, hasShape: Bool) -> [UInt8] {
        let tensor: [UInt8] = [1 << 3, 1] + (hasShape ? field(2, []) : [])
        return field(1, Array(name.utf8)) + field(2, field(1, tensor))
    }

    @Test func `a scalar is told from a tensor of any shape`() throws {
        let graph =
            field(5, [UInt8](repeating: 0xFF, count: 40)) + field(11, value("one", hasShape: true))
            + field(11, value("any", hasShape: false)) + field(12, value("sum", hasShape: true))
        let model = [1 << 3, 9] + field(7, graph)
        let names = try model.withUnsafeBytes { try OnnxShapes.declared($0) }
        #expect(names == ["one", "sum"])
    }

    @Test func `a damaged file says nothing`() {
        let model = field(7, field(11, value("one", hasShape: true)))
        for count in 0..<model.count {
            let names = try? Array(model.prefix(count)).withUnsafeBytes {
                try OnnxShapes.declared($0)
            }
            #expect(names?.isEmpty ?? true)
        }
        #expect(OnnxShapes.declared(inFile: "/nowhere/model.onnx").isEmpty)
    }

    private func raw(_ count: Int, _ shape: [Int]?, _ datatype: Datatype = .fp32) -> [Int64]? {
        let request = InferenceRequest()
        let signature = ModelSignature(
            inputs: [TensorSignature(name: "x", datatype: datatype, shape: shape)], outputs: [])
        do {
            try [UInt8](repeating: 0, count: count).withUnsafeBytes {
                try InferRequestReader.read(
                    $0, jsonLength: 0, signature: signature, into: request)
            }
        } catch {
            return nil
        }
        return request.tensors.entries.first.map { Array(request.tensors.shape($0)) }
    }

    @Test func `the shape of a request without JSON is the model's`() {
        #expect(raw(24, [-1, 3]) == [2, 3])
        #expect(raw(24, [2, 3]) == [2, 3])
        #expect(raw(24, [-1, -1]) == [1, 6])
        #expect(raw(24, [-1, 2, -1]) == [1, 2, 3])
        #expect(raw(24, nil) == [6])
        #expect(raw(4, []) == [])
        #expect(raw(7, [-1], .bytes) == [1])
        #expect(raw(0, [-1, 3]) == [0, 3])
        for shape in [[2, 2], [-1, 5], [-1, -1, -1], [2, -1, -1], [-1, 0]] {
            #expect(raw(24, shape) == nil, "\(shape)")
        }
        #expect(raw(23, [-1, 3]) == nil)
        #expect(raw(7, [2], .bytes) == nil)
    }
}
