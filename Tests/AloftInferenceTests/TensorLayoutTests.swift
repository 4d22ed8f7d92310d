import AloftDomain
import AloftPredictionLog
import Testing

@testable import AloftInference

@Suite struct TensorLayoutTests {
    /// Tensors of bytes, in the order of their places.
    private func tensors(_ list: [(place: Int, shape: [Int64])]) -> TensorSet {
        let set = TensorSet()
        for (place, shape) in list {
            let count = Int(shape.reduce(1, *))
            set.append(
                place: place, datatype: .uint8, dimensions: shape, elementCount: count,
                byteCount: count
            ).initializeMemory(as: UInt8.self, repeating: UInt8(place), count: count)
        }
        set.sortByPlace()
        return set
    }

    @Test func `tensors that came in another order lie as those that came in order`() throws {
        let ordered = tensors([(0, [1, 3]), (1, [4]), (2, [])])
        let mixed = tensors([(2, []), (1, [4]), (0, [1, 3])])
        let layout = try #require(ordered.layout)
        #expect(mixed.layout == layout)
        #expect(layout.dimensions == [1, 3, 4])
        #expect(mixed.entries.map { Array(mixed.shape($0)) } == [[1, 3], [4], []])
        let packed = PackedLayout(layout)
        #expect(packed.byteCount == 8)
        for set in [ordered, mixed] {
            #expect(set.lies(as: packed.numbers))
            var bytes = [UInt8](repeating: 9, count: 8)
            bytes.withUnsafeMutableBytes { bytes in
                if let start = bytes.baseAddress { set.writeElements(to: start) }
            }
            #expect(bytes == [0, 0, 0, 1, 1, 1, 1, 2])
        }
    }

    @Test func `tensors of other shapes, places and counts lie otherwise`() throws {
        let layout = PackedLayout(try #require(tensors([(0, [2, 3]), (1, [3, 2])]).layout))
        let others = [
            tensors([(1, [2, 3]), (0, [3, 2])]), tensors([(0, [2, 3])]), tensors([]),
            tensors([(0, [2, 3]), (2, [3, 2])]), tensors([(0, [3, 2]), (1, [3, 2])]),
            tensors([(0, [6]), (1, [3, 2])]), tensors([(0, [2, 3, 1]), (1, [6])]),
            tensors([(0, [2, 3]), (1, [3, 2]), (2, [1])]),
        ]
        for other in others { #expect(!other.lies(as: layout.numbers)) }
        #expect(tensors([(1, [3, 2]), (0, [2, 3])]).lies(as: layout.numbers))
    }
}
