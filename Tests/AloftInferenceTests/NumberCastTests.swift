import Foundation
import Testing

@testable import AloftInference

/// The law of casts: the same number, or refused; however a request says it.
@Suite struct NumberCastTests {
    private static let types: [Datatype] = [
        .bool, .uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64, .fp16, .bf16,
        .fp32, .fp64,
    ]

    /// One element's bits of each kind: edges, then by chance.
    private static func patterns() -> [UInt64] {
        var chance = SystemRandomNumberGenerator()
        let edges: [UInt64] = [
            0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x3C00, 0x3F80, 0x7C00,
            0x7F80, 0x7E00, 1 << 24, (1 << 24) + 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF,
            0x3F80_0000, 0x3DCC_CCCD, 0x7F80_0000, 0x7FC0_0000, 1 << 53, (1 << 53) + 1,
            0x7FFF_FFFF_FFFF_FFFF, 1 << 63, .max, (1.0).bitPattern, (0.1).bitPattern,
            (-0.5).bitPattern, (65504.0).bitPattern, (65536.0).bitPattern, (1e300).bitPattern,
            Double.infinity.bitPattern, Double.nan.bitPattern, (16_777_217.0).bitPattern,
            (9_007_199_254_740_993.0).bitPattern, (255.0).bitPattern, (-129.0).bitPattern,
        ]
        return edges + (0..<60).map { _ in chance.next() }
            + (0..<60).map { _ in Double(Int16.random(in: .min ... .max, using: &chance)).bitPattern
            }
    }

    /// A number as exactly as there is: whole ones as such.
    private enum Exact: Equatable {
        case whole(Int128)
        case real(Double)
        case none
    }

    private static func exact(_ bits: UInt64, _ type: Datatype) -> Exact {
        func of(_ real: Double) -> Exact {
            real.isNaN ? .none : Int128(exactly: real).map { .whole($0) } ?? .real(real)
        }
        return switch type {
        case .bool, .uint8: .whole(Int128(UInt8(truncatingIfNeeded: bits)))
        case .uint16: .whole(Int128(UInt16(truncatingIfNeeded: bits)))
        case .uint32: .whole(Int128(UInt32(truncatingIfNeeded: bits)))
        case .uint64: .whole(Int128(bits))
        case .int8: .whole(Int128(Int8(truncatingIfNeeded: bits)))
        case .int16: .whole(Int128(Int16(truncatingIfNeeded: bits)))
        case .int32: .whole(Int128(Int32(truncatingIfNeeded: bits)))
        case .int64: .whole(Int128(Int64(bitPattern: bits)))
        case .fp16: of(Double(Float16(bitPattern: UInt16(truncatingIfNeeded: bits))))
        case .bf16: of(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits & 0xFFFF) << 16)))
        case .fp32: of(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
        case .fp64: of(Double(bitPattern: bits))
        case .bytes: .none
        }
    }

    private static func cast(
        _ bits: UInt64, _ source: Datatype, _ kind: Datatype, _ target: Datatype
    ) -> UInt64? {
        var (bits, made) = (bits.littleEndian, UInt64(0))
        return withUnsafeBytes(of: &bits) { bytes in
            withUnsafeMutableBytes(of: &made) { memory in
                guard let base = memory.baseAddress else { return nil }
                do throws(InferenceError) {
                    try NumberCast(name: "x", from: source, as: kind, to: target).copy(
                        bytes, start: 0, stride: 1, to: base, start: 0, stride: 1, count: 1)
                } catch {
                    return nil
                }
                return memory.load(as: UInt64.self)
            }
        }
    }

    /// Whether a datatype has this number, tried by its nearest.
    private static func holds(_ type: Datatype, _ value: Exact, from source: Datatype) -> Bool {
        if type == .bool { return source == .bool }
        switch type {
        case .fp16, .bf16, .fp32, .fp64:
            let real: Double
            switch value {
            case .none: return true
            case .real(let number): real = number
            case .whole(let number):
                real = Double(number)
                guard Int128(exactly: real) == number else { return false }
            }
            if real.isInfinite { return true }
            return switch type {
            case .fp16: Double(Float16(real)) == real
            case .bf16:
                Float(exactly: real).map { $0.bitPattern & 0xFFFF == 0 } ?? false
            case .fp32: Float(exactly: real) != nil
            default: true
            }
        default:
            guard case .whole(let number) = value else { return false }
            let (low, high): (Int128, Int128) =
                switch type {
                case .uint8: (0, 0xFF)
                case .uint16: (0, 0xFFFF)
                case .uint32: (0, 0xFFFF_FFFF)
                case .uint64: (0, Int128(UInt64.max))
                case .int8: (-0x80, 0x7F)
                case .int16: (-0x8000, 0x7FFF)
                case .int32: (-0x8000_0000, 0x7FFF_FFFF)
                default: (Int128(Int64.min), Int128(Int64.max))
                }
            return low <= number && number <= high
        }
    }

    @Test(arguments: types) func `a number stays what it is, or is refused`(source: Datatype) {
        for bits in Self.patterns() {
            let bits = source == .bool ? bits & 1 : bits
            let value = Self.exact(bits, source)
            for kind in Self.types {
                let made = Self.cast(bits, source, kind, kind)
                let isHeld = Self.holds(kind, value, from: source)
                #expect((made != nil) == isHeld, "\(value) of \(source) as \(kind)")
                guard let made else { continue }
                #expect(Self.exact(made, kind) == value, "\(value) of \(source) as \(kind)")
            }
        }
    }

    @Test func `from the signature to what is run digits are lost, but nothing becomes infinite`() {
        for bits in Self.patterns() {
            for target in [Datatype.fp16, .bf16, .fp32] {
                let value = Double(bitPattern: bits)
                let made = Self.cast(bits, .fp64, .fp64, target)
                let rounded: Double =
                    switch target {
                    case .fp16: Double(Float16(value))
                    case .bf16:
                        Double(Float(bitPattern: UInt32(BrainBits(value).bits) << 16))
                    default: Double(Float(value))
                    }
                let isBeyond = value.isFinite && rounded.isInfinite
                #expect((made == nil) == isBeyond, "\(value) as \(target)")
                guard let made, !value.isNaN else { continue }
                let found: Double =
                    switch Self.exact(made, target) {
                    case .whole(let number): Double(number)
                    case .real(let number): number
                    case .none: .nan
                    }
                #expect(found == rounded, "\(value) as \(target)")
            }
        }
    }

    /// The same values as columns that say so, and as a table of pandas.
    @Test func `both forms of columns obey it alike`() throws {
        let own = ModelSignature(
            inputs: [TensorSignature(name: "X", datatype: .fp32, shape: [-1, 2])],
            outputs: [TensorSignature(name: "y", datatype: .fp32, shape: [-1])])
        let said = [Datatype.int64, .fp64].enumerated().map {
            TensorSignature(name: "c\($0.offset)", datatype: $0.element, shape: [-1, 1])
        }
        let table = try #require(
            ColumnInputs(own, columns: ["c0", "c1"], published: said))
        for (value, isTaken) in [("1.5", false), ("3", true), ("null", false)] {
            let body = Array(
                (#"{"parameters":{"content_type":"pd"},"inputs":["#
                    + #"{"name":"c0","datatype":"FP64","shape":[1],"data":[\#(value)]},"#
                    + #"{"name":"c1","datatype":"FP64","shape":[1],"data":[0.1]}]}"#).utf8)
            let request = InferenceRequest()
            let isRead = body.withUnsafeBytes { bytes in
                do throws(InferenceError) {
                    try table.read(
                        into: request, after: .unknownInput(name: "c0", known: [])
                    ) { (signature, request) throws(InferenceError) in
                        try InferRequestReader.read(bytes, signature: signature, into: request)
                    }
                    return true
                } catch {
                    #expect(error.code == "bad_contents")
                    return false
                }
            }
            #expect(isRead == isTaken, "\(value)")
        }
    }
}
