/// A tensor of a compact record. A list of them is their count (1 byte), then for each its place in the
/// model's inputs or outputs (1), the number of its dimensions (1) and those (4 each), the length of its
/// elements (4) and those: little-endian, row-major, a text with its length (4) before it.
struct LoggedTensor {
    let place: Int
    let signature: PredictionSource.Signature.Tensor
    let shape: [Int64]
    let elements: UnsafeRawBufferPointer

    /// `nil` where they do not fit the bytes or the signature.
    static func all(
        in bytes: UnsafeRawBufferPointer, _ signature: [PredictionSource.Signature.Tensor]
    ) -> [LoggedTensor]? {
        var scan = ByteScan(bytes)
        guard let count = scan.take(UInt8.self) else { return nil }
        var tensors: [LoggedTensor] = []
        for _ in 0..<count {
            guard let place = scan.take(UInt8.self), Int(place) < signature.count,
                let rank = scan.take(UInt8.self)
            else { return nil }
            var shape: [Int64] = []
            for _ in 0..<rank {
                guard let dimension = scan.take(UInt32.self) else { return nil }
                shape.append(Int64(dimension))
            }
            guard let elements = scan.takeBytes(UInt32.self) else { return nil }
            tensors.append(
                LoggedTensor(
                    place: Int(place), signature: signature[Int(place)], shape: shape,
                    elements: elements))
        }
        return tensors
    }

    /// Elements that lie as `layout` says; `nil` where they do not fit it or the signature.
    static func all(
        in bytes: UnsafeRawBufferPointer, _ layout: TensorLayout,
        _ signature: [PredictionSource.Signature.Tensor]
    ) -> [LoggedTensor]? {
        var scan = ByteScan(bytes)
        var dimensions = layout.dimensions[...]
        var tensors: [LoggedTensor] = []
        for slot in layout.slots {
            guard slot.place < signature.count, let elements = scan.take(count: slot.byteCount)
            else { return nil }
            tensors.append(
                LoggedTensor(
                    place: slot.place, signature: signature[slot.place],
                    shape: Array(dimensions.prefix(slot.rank)), elements: elements))
            dimensions = dimensions.dropFirst(slot.rank)
        }
        return tensors
    }
}
