/// The one law of casts, for every form of request: numbers of one datatype into another, by way of what
/// the model's signature says that they are. What the signature's datatype cannot hold as the same number
/// is refused; truth values are 0 and 1 as numbers, and no number is a truth value. From there to what the
/// model is run with the conversion has rounded when it was compared with the original, so that only what
/// would become infinite is refused.
struct NumberCast {
    let name: String
    let source: Datatype
    let kind: Datatype
    let target: Datatype

    init(name: String, from source: Datatype, as kind: Datatype, to target: Datatype) {
        self.name = name
        self.source = source
        self.kind = kind
        self.target = target
    }

    private enum Number {
        case whole(Int64)
        /// Beyond `Int64`.
        case large(UInt64)
        case real(Double)
    }

    /// Both pointers hold `start + stride * count` elements at least; strides count elements.
    func copy(
        _ bytes: UnsafeRawBufferPointer, start: Int, stride: Int,
        to memory: UnsafeMutableRawPointer, start first: Int, stride step: Int, count: Int
    ) throws(InferenceError) {
        guard count > 0, let base = bytes.baseAddress else { return }
        switch (source, kind, target) {
        case (.fp64, .fp64, .fp32):
            try narrow(base, start, stride, memory, first, step, count)
        case (.fp32, _, .fp64) where kind == .fp64 || kind == .fp32:
            for index in 0..<max(count, 0) {
                let value = (base + 4 * (start + index * stride)).loadUnaligned(as: Float.self)
                (memory + 8 * (first + index * step)).storeBytes(
                    of: Double(value), as: Double.self)
            }
        case (target, source, _) where stride == 1 && step == 1:
            let size = target.elementBytes
            (memory + first * size).copyMemory(
                from: base + start * size, byteCount: count * size)
        default:
            for index in 0..<max(count, 0) {
                let number = read(base, start + index * stride)
                guard fits(number, kind) else { throw lossy(number, start + index * stride) }
                guard write(number, memory, first + index * step) else {
                    throw beyond(number, start + index * stride)
                }
            }
        }
    }

    private func narrow(
        _ base: UnsafeRawPointer, _ start: Int, _ stride: Int, _ memory: UnsafeMutableRawPointer,
        _ first: Int, _ step: Int, _ count: Int
    ) throws(InferenceError) {
        for index in 0..<max(count, 0) {
            let value = (base + 8 * (start + index * stride)).loadUnaligned(as: Double.self)
            let narrowed = Float(value)
            if narrowed.isInfinite, value.isFinite {
                throw beyond(.real(value), start + index * stride)
            }
            (memory + 4 * (first + index * step)).storeBytes(of: narrowed, as: Float.self)
        }
    }

    private func read(_ base: UnsafeRawPointer, _ index: Int) -> Number {
        let place = base + index * source.elementBytes
        func whole<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type) -> Number {
            let value = Value(littleEndian: place.loadUnaligned(as: Value.self))
            return Int64(exactly: value).map { .whole($0) }
                ?? .large(UInt64(truncatingIfNeeded: value))
        }
        return switch source {
        case .bool, .uint8: whole(UInt8.self)
        case .uint16: whole(UInt16.self)
        case .uint32: whole(UInt32.self)
        case .uint64: whole(UInt64.self)
        case .int8: whole(Int8.self)
        case .int16: whole(Int16.self)
        case .int32: whole(Int32.self)
        case .int64: whole(Int64.self)
        case .fp16: .real(Double(Float16(bitPattern: place.loadUnaligned(as: UInt16.self))))
        case .bf16: .real(Double(BrainBits.float(place.loadUnaligned(as: UInt16.self))))
        case .fp32: .real(Double(place.loadUnaligned(as: Float.self)))
        case .fp64: .real(place.loadUnaligned(as: Double.self))
        case .bytes: .real(.nan)  // texts are never cast
        }
    }

    /// Whether the datatype holds this number as it is.
    private func fits(_ number: Number, _ kind: Datatype) -> Bool {
        func holds<Value: FixedWidthInteger>(_: Value.Type) -> Bool {
            switch number {
            case .whole(let value): Value(exactly: value) != nil
            case .large(let value): Value(exactly: value) != nil
            case .real(let value): Value(exactly: value) != nil
            }
        }
        switch kind {
        case .fp64:
            return switch number {
            case .whole(let value): Double(exactly: value) != nil
            case .large(let value): Double(exactly: value) != nil
            case .real: true
            }
        case .fp32:
            return switch number {
            case .whole(let value): Float(exactly: value) != nil
            case .large(let value): Float(exactly: value) != nil
            case .real(let value): value.isNaN || Double(Float(value)) == value
            }
        case .bool: return source == .bool
        case .uint8: return holds(UInt8.self)
        case .uint16: return holds(UInt16.self)
        case .uint32: return holds(UInt32.self)
        case .uint64: return holds(UInt64.self)
        case .int8: return holds(Int8.self)
        case .int16: return holds(Int16.self)
        case .int32: return holds(Int32.self)
        case .int64: return holds(Int64.self)
        case .fp16: return isSame(number, as: { Double(Float16($0)) })
        case .bf16: return isSame(number, as: { Double(BrainBits.float(BrainBits($0).bits)) })
        case .bytes: return false
        }
    }

    /// Whether a number is the same when it is rounded.
    private func isSame(_ number: Number, as rounded: (Double) -> Double) -> Bool {
        switch number {
        case .whole(let value):
            Double(exactly: value).map { rounded($0) == $0 } ?? false
        case .large(let value):
            Double(exactly: value).map { rounded($0) == $0 } ?? false
        case .real(let value): value.isNaN || rounded(value) == value
        }
    }

    /// False where the model's own datatype does not reach so far.
    private func write(
        _ number: Number, _ memory: UnsafeMutableRawPointer, _ index: Int
    ) -> Bool {
        let place = memory + index * target.elementBytes
        func put<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type) -> Bool {
            let value: Value? =
                switch number {
                case .whole(let value): Value(exactly: value)
                case .large(let value): Value(exactly: value)
                case .real(let value): Value(exactly: value)
                }
            guard let value else { return false }
            place.storeBytes(of: value.littleEndian, as: Value.self)
            return true
        }
        let real: Double =
            switch number {
            case .whole(let value): Double(value)
            case .large(let value): Double(value)
            case .real(let value): value
            }
        switch target {
        case .fp64: place.storeBytes(of: real, as: Double.self)
        case .fp32:
            let narrowed =
                switch number {
                case .whole(let value): Float(value)
                case .large(let value): Float(value)
                case .real(let value): Float(value)
                }
            if narrowed.isInfinite, real.isFinite { return false }
            place.storeBytes(of: narrowed, as: Float.self)
        case .fp16:
            let narrowed = Float16(real)
            if narrowed.isInfinite, real.isFinite { return false }
            place.storeBytes(of: narrowed.bitPattern, as: UInt16.self)
        case .bf16:
            let narrowed = BrainBits(real).bits
            if BrainBits.float(narrowed).isInfinite, real.isFinite { return false }
            place.storeBytes(of: narrowed, as: UInt16.self)
        case .bool, .uint8: return put(UInt8.self)
        case .uint16: return put(UInt16.self)
        case .uint32: return put(UInt32.self)
        case .uint64: return put(UInt64.self)
        case .int8: return put(Int8.self)
        case .int16: return put(Int16.self)
        case .int32: return put(Int32.self)
        case .int64: return put(Int64.self)
        case .bytes: return false
        }
        return true
    }

    private static func text(_ number: Number) -> String {
        switch number {
        case .whole(let value): "\(value)"
        case .large(let value): "\(value)"
        case .real(let value): "\(value)"
        }
    }

    private func lossy(_ number: Number, _ index: Int) -> InferenceError {
        .badContents(
            name: name,
            reason: "value \(index), \(Self.text(number)), came as \(source.name) and is no "
                + "\(kind.name) as it is, which the model's signature says")
    }

    private func beyond(_ number: Number, _ index: Int) -> InferenceError {
        .badContents(
            name: name,
            reason: "value \(index), \(Self.text(number)), is beyond what the model is run with "
                + "(\(target.name))")
    }
}

extension Datatype {
    /// Whether it holds numbers or truth values that can be cast.
    var isNumber: Bool { self != .bytes }

    /// Whether its values may be those of the other datatype.
    func mayBecome(_ other: Datatype) -> Bool {
        self == other || (isNumber && other.isNumber && (other != .bool))
    }
}
