/// Copies elements of one numeric datatype as those of another. Only digits of real numbers are lost: a
/// whole number that the target has no room for, and a real one that is not whole, are not copied.
struct ColumnCast {
    let bytes: UnsafeRawBufferPointer
    let from: Datatype
    let to: Datatype
    let target: UnsafeMutableRawPointer

    private enum Value {
        case whole(Int64)
        case large(UInt64)
        case real(Double)
    }

    /// False where the value is none of the target's.
    mutating func copy(_ index: Int, to place: Int) -> Bool {
        guard let value = value(index) else { return false }
        switch to {
        case .fp64: return put(real(value), place)
        case .fp32: return put(Float(real(value)), place)
        case .fp16: return put(Float16(real(value)).bitPattern, place)
        case .bf16: return put(BrainBits(real(value)).bits, place)
        case .bool: return put(whole(value, UInt8.self).flatMap { $0 <= 1 ? $0 : nil }, place)
        case .int8: return put(whole(value, Int8.self), place)
        case .int16: return put(whole(value, Int16.self), place)
        case .int32: return put(whole(value, Int32.self), place)
        case .int64: return put(whole(value, Int64.self), place)
        case .uint8: return put(whole(value, UInt8.self), place)
        case .uint16: return put(whole(value, UInt16.self), place)
        case .uint32: return put(whole(value, UInt32.self), place)
        case .uint64: return put(whole(value, UInt64.self), place)
        case .bytes: return false
        }
    }

    private func put<Number: BitwiseCopyable>(_ number: Number?, _ place: Int) -> Bool {
        guard let number else { return false }
        target.storeBytes(
            of: number, toByteOffset: place * MemoryLayout<Number>.stride, as: Number.self)
        return true
    }

    private func real(_ value: Value) -> Double {
        switch value {
        case .whole(let number): Double(number)
        case .large(let number): Double(number)
        case .real(let number): number
        }
    }

    private func whole<Number: FixedWidthInteger>(_ value: Value, _: Number.Type) -> Number? {
        switch value {
        case .whole(let number): Number(exactly: number)
        case .large(let number): Number(exactly: number)
        case .real(let number): Number(exactly: number)
        }
    }

    private func value(_ index: Int) -> Value? {
        func load<Number: BitwiseCopyable>(_: Number.Type) -> Number {
            bytes.loadUnaligned(
                fromByteOffset: index * MemoryLayout<Number>.stride, as: Number.self)
        }
        switch from {
        case .bool, .uint8: return .whole(Int64(truncatingIfNeeded: load(UInt8.self)))
        case .uint16: return .whole(Int64(truncatingIfNeeded: load(UInt16.self)))
        case .uint32: return .whole(Int64(truncatingIfNeeded: load(UInt32.self)))
        case .uint64: return .large(load(UInt64.self))
        case .int8: return .whole(Int64(truncatingIfNeeded: load(Int8.self)))
        case .int16: return .whole(Int64(truncatingIfNeeded: load(Int16.self)))
        case .int32: return .whole(Int64(truncatingIfNeeded: load(Int32.self)))
        case .int64: return .whole(load(Int64.self))
        case .fp16: return .real(Double(Float16(bitPattern: load(UInt16.self))))
        case .bf16:
            return .real(
                Double(Float(bitPattern: UInt32(truncatingIfNeeded: load(UInt16.self)) << 16)))
        case .fp32: return .real(Double(load(Float.self)))
        case .fp64: return .real(load(Double.self))
        case .bytes: return nil
        }
    }
}
