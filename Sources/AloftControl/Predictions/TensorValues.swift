import AloftDomain
import Foundation

extension TensorKind {
    /// The elements of a tensor in binary, as they would stand in JSON; those of BYTES that are no text
    /// as lists of numbers.
    func values(_ bytes: Data) -> JSONValue {
        switch self {
        case .bool: all(bytes, UInt8.self) { .bool($0 != 0) }
        case .int8: all(bytes, Int8.self) { .int(Int64($0)) }
        case .int16: all(bytes, Int16.self) { .int(Int64($0)) }
        case .int32: all(bytes, Int32.self) { .int(Int64($0)) }
        case .int64: all(bytes, Int64.self) { .int($0) }
        case .uint8: all(bytes, UInt8.self) { .int(Int64($0)) }
        case .uint16: all(bytes, UInt16.self) { .int(Int64($0)) }
        case .uint32: all(bytes, UInt32.self) { .int(Int64($0)) }
        case .uint64:
            all(bytes, UInt64.self) { number in
                Int64(exactly: number).map { .int($0) } ?? .double(Double(number))
            }
        case .fp16: all(bytes, UInt16.self) { .double(Double(Float16(bitPattern: $0))) }
        case .bf16: all(bytes, UInt16.self) { .double(Double(Float(bitPattern: UInt32($0) << 16))) }
        case .fp32: all(bytes, UInt32.self) { .double(Double(Float(bitPattern: $0))) }
        case .fp64: all(bytes, UInt64.self) { .double(Double(bitPattern: $0)) }
        case .bytes: .array(texts(bytes))
        }
    }

    private func all<Number: FixedWidthInteger>(
        _ bytes: Data, _: Number.Type, _ value: (Number) -> JSONValue
    ) -> JSONValue {
        let size = MemoryLayout<Number>.size
        return bytes.withUnsafeBytes { memory in
            .array(
                (0..<memory.count / size).map { place in
                    value(
                        Number(
                            littleEndian: memory.loadUnaligned(
                                fromByteOffset: place * size, as: Number.self)))
                })
        }
    }

    private func texts(_ bytes: Data) -> [JSONValue] {
        var rest = bytes[...]
        var values: [JSONValue] = []
        while rest.count >= 4 {
            let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            let element = rest.dropFirst(4).prefix(length)
            rest = rest.dropFirst(4 + length)
            values.append(
                String(validating: element, as: UTF8.self).map { .string($0) }
                    ?? .array(element.map { .int(Int64($0)) }))
        }
        return values
    }
}
