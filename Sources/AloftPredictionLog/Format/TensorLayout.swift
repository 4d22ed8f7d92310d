/// How tensors lie that many records have: in the log their count (1 byte), then for each its place in the
/// model's inputs or outputs (1), the number of its dimensions (1) and those (4 each) and the length of
/// its elements (4).
package struct TensorLayout: Sendable, Equatable {
    package struct Slot: Sendable, Equatable {
        package let place: Int
        package let rank: Int
        package let byteCount: Int

        package init(place: Int, rank: Int, byteCount: Int) {
            self.place = place
            self.rank = rank
            self.byteCount = byteCount
        }
    }

    package private(set) var slots: [Slot]
    /// The dimensions of all tensors, one after another.
    package private(set) var dimensions: [Int64]
    /// The elements of all tensors together.
    package private(set) var byteCount: Int

    /// `nil` where they are more than the log's lengths can say.
    package init?(_ slots: [Slot], dimensions: [Int64]) {
        guard slots.count <= 255,
            slots.allSatisfy({
                UInt8(exactly: $0.place) != nil && UInt8(exactly: $0.rank) != nil
                    && UInt32(exactly: $0.byteCount) != nil
            }),
            dimensions.allSatisfy({ UInt32(exactly: $0) != nil })
        else { return nil }
        self.slots = slots
        self.dimensions = dimensions
        byteCount = slots.reduce(0) { $0 + $1.byteCount }
    }

    /// `nil` where the bytes end too early.
    init?(_ scan: inout ByteScan) {
        guard let count = scan.take(UInt8.self) else { return nil }
        (slots, dimensions, byteCount) = ([], [], 0)
        for _ in 0..<count {
            guard let place = scan.take(UInt8.self), let rank = scan.take(UInt8.self) else {
                return nil
            }
            for _ in 0..<rank {
                guard let dimension = scan.take(UInt32.self) else { return nil }
                dimensions.append(Int64(dimension))
            }
            guard let size = scan.take(UInt32.self) else { return nil }
            slots.append(Slot(place: Int(place), rank: Int(rank), byteCount: Int(size)))
            byteCount += Int(size)
        }
    }

    /// The layout itself and the elements, as a record of any shape has them.
    package var wholeBytes: Int { bytes.count + byteCount }

    /// As the log has it.
    package var bytes: [UInt8] {
        var bytes = [UInt8(truncatingIfNeeded: slots.count)]
        func put(_ number: UInt32) {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        var next = 0
        for slot in slots {
            bytes.append(UInt8(truncatingIfNeeded: slot.place))
            bytes.append(UInt8(truncatingIfNeeded: slot.rank))
            for dimension in dimensions[next..<next + slot.rank] {
                put(UInt32(truncatingIfNeeded: dimension))
            }
            next += slot.rank
            put(UInt32(truncatingIfNeeded: slot.byteCount))
        }
        return bytes
    }
}
