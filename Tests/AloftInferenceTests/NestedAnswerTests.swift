import AloftInference
import Testing

/// Answers of MLflow scoring nest as numpy's `tolist` does.
@Suite struct NestedAnswerTests {
    private func written(_ fill: (TensorSet) -> Void) -> String {
        let tensors = TensorSet()
        fill(tensors)
        let bound = TensorJSONWriter.nestedBound(tensors.entries[0], of: tensors)
        let bytes = [UInt8](unsafeUninitializedCapacity: bound) {
            var writer = ByteWriter(UnsafeMutableRawBufferPointer($0))
            TensorJSONWriter.writeNested(tensors.entries[0], of: tensors, to: &writer)
            $1 = writer.count
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ([3], "[0,1,2]"), ([3, 1], "[[0],[1],[2]]"), ([1, 3], "[[0,1,2]]"),
        ([2, 2, 2], "[[[0,1],[2,3]],[[4,5],[6,7]]]"), ([1, 1, 2, 1], "[[[[0],[1]]]]"),
        ([0], "[]"), ([0, 2], "[]"), ([2, 0], "[[],[]]"), ([2, 0, 3], "[[],[]]"),
    ])
    func `numbers are nested by their shape`(shape: [Int64], text: String) {
        let count = shape.reduce(1, *)
        let found = written { tensors in
            let memory = tensors.append(
                place: 0, datatype: .int64, dimensions: shape, elementCount: Int(count),
                byteCount: Int(count) * 8)
            for index in 0..<count {
                (memory + Int(index) * 8).storeBytes(of: index, as: Int64.self)
            }
        }
        #expect(found == text)
    }

    @Test func `texts are nested too`() {
        let texts = ["a", "b", "c", "d"].map { Array($0.utf8) }
        let found = written { $0.append(place: 0, dimensions: [2, 2], strings: texts) }
        #expect(found == #"[["a","b"],["c","d"]]"#)
    }
}
