extension TensorSet {
    /// How far numbers may be apart that were reckoned in another order, in parts of their size.
    private static let nearness = 1e-4

    /// Whether each tensor here is those of two other sets, one behind the other.
    package func holds(_ first: TensorSet, _ second: TensorSet) -> Bool {
        guard entries.count == first.entries.count, entries.count == second.entries.count else {
            return false
        }
        return zip(entries, zip(first.entries, second.entries)).allSatisfy { whole, parts in
            let (one, two) = parts
            guard whole.datatype == one.datatype, whole.datatype == two.datatype,
                whole.byteCount == one.byteCount + two.byteCount
            else { return false }
            let bytes = bytes(whole)
            // traps: so many bytes as both have, compared above
            return Self.areNear(
                UnsafeRawBufferPointer(rebasing: bytes[..<one.byteCount]), first.bytes(one),
                whole.datatype)
                && Self.areNear(
                    UnsafeRawBufferPointer(rebasing: bytes[one.byteCount...]), second.bytes(two),
                    whole.datatype)
        }
    }

    private static func areNear(
        _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, _ datatype: Datatype
    ) -> Bool {
        switch datatype {
        case .fp32: areNear(left, right, Float.self) { Double($0) }
        case .fp64: areNear(left, right, Double.self) { $0 }
        case .fp16: areNear(left, right, UInt16.self) { Double(Float16(bitPattern: $0)) }
        default: left.elementsEqual(right)
        }
    }

    private static func areNear<Number: BitwiseCopyable>(
        _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, _: Number.Type,
        _ value: (Number) -> Double
    ) -> Bool {
        let stride = MemoryLayout<Number>.stride
        for offset in Swift.stride(
            from: 0, to: min(left.count, right.count) / stride * stride, by: stride)
        {
            let one = value(left.loadUnaligned(fromByteOffset: offset, as: Number.self))
            let other = value(right.loadUnaligned(fromByteOffset: offset, as: Number.self))
            if one.isNaN, other.isNaN { continue }
            guard one == other || abs(one - other) <= nearness * max(1, abs(one)) else {
                return false
            }
        }
        return true
    }
}
