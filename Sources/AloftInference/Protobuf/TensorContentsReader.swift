import AloftPredictionLog

/// Reads the typed elements of one tensor, the gRPC message `InferTensorContents`.
struct TensorContentsReader {
    let name: String
    let datatype: Datatype
    let shape: [Int64]
    let place: Int
    let tensors: TensorSet

    private static let fieldNames = [
        "bool_contents", "int_contents", "int64_contents", "uint_contents", "uint64_contents",
        "fp32_contents", "fp64_contents", "bytes_contents",
    ]

    private static func fieldName(_ number: UInt64) -> String {
        let place = Int(clamping: number) - 1
        return fieldNames.indices.contains(place) ? fieldNames[place] : "field \(number)"
    }

    func read(_ contents: ProtobufSlice) throws(InferenceError) {
        switch datatype {
        case .bool:
            try numbers(contents, field: 1, of: UInt8.self) {
                $0 <= 1 ? UInt8(truncatingIfNeeded: $0) : nil
            }
        case .int8: try numbers(contents, field: 2, of: Int8.self) { Int8(exactly: Self.int($0)) }
        case .int16:
            try numbers(contents, field: 2, of: Int16.self) { Int16(exactly: Self.int($0)) }
        case .int32: try numbers(contents, field: 2, of: Int32.self) { Self.int($0) }
        case .int64: try numbers(contents, field: 3, of: Int64.self) { Int64(bitPattern: $0) }
        case .uint8: try numbers(contents, field: 4, of: UInt8.self) { UInt8(exactly: $0) }
        case .uint16: try numbers(contents, field: 4, of: UInt16.self) { UInt16(exactly: $0) }
        case .uint32: try numbers(contents, field: 4, of: UInt32.self) { UInt32(exactly: $0) }
        case .uint64: try numbers(contents, field: 5, of: UInt64.self) { $0 }
        case .fp32: try fixed(contents, field: 6, wire: .fixed32)
        case .fp64: try fixed(contents, field: 7, wire: .fixed64)
        case .bytes: try strings(contents)
        case .fp16, .bf16:
            throw .badContents(
                name: name,
                reason: "\(datatype.name) has no field in contents; send raw_input_contents")
        }
    }

    /// An int32 is written as the 64 bits of its value, of which the lower 32 count.
    private static func int(_ bits: UInt64) -> Int32 { Int32(truncatingIfNeeded: bits) }

    /// The number of elements that the shape means, if the contents can hold so many.
    private func elementCount(
        _ contents: ProtobufSlice, field: UInt64, minimumBytes: Int
    ) throws(InferenceError) -> Int {
        guard let count = TensorShape.elementCount(shape),
            count <= contents.bytes.count / minimumBytes
        else {
            // Values in another datatype's field are the likelier mistake, and named as such.
            try values(contents, field: field) { (cursor, wire) throws(InferenceError) in
                try cursor.skip(wire)
            }
            throw .wrongCount(name: name, count: nil, shape: shape)
        }
        return count
    }

    /// Hands over each value of the field that this datatype goes into.
    private func values(
        _ contents: ProtobufSlice, field wanted: UInt64,
        _ take: (inout ProtobufCursor, ProtobufWire) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        var cursor = ProtobufCursor(contents)
        while let (field, wire) = try cursor.next() {
            if field == wanted {
                try take(&cursor, wire)
            } else if field <= 8 {
                throw .badContents(
                    name: name,
                    reason: "they stand in \(Self.fieldName(field)); "
                        + "\(datatype.name) goes into \(Self.fieldName(wanted))")
            } else {
                try cursor.skip(wire)
            }
        }
    }

    private func numbers<Element: FixedWidthInteger>(
        _ contents: ProtobufSlice, field: UInt64, of: Element.Type,
        _ convert: (UInt64) -> Element?
    ) throws(InferenceError) {
        let count = try elementCount(contents, field: field, minimumBytes: 1)
        let target = tensors.append(
            place: place, datatype: datatype, dimensions: shape, elementCount: count,
            byteCount: count * MemoryLayout<Element>.stride
        ).bindMemory(to: Element.self, capacity: count)
        var index = 0
        func element(_ cursor: inout ProtobufCursor) throws(InferenceError) {
            let bits = try cursor.varint()
            guard index < count else { throw .wrongCount(name: name, count: nil, shape: shape) }
            guard let value = convert(bits) else {
                throw .badElement(name: name, index: index, datatype: datatype)
            }
            target[index] = value
            index += 1
        }
        try values(contents, field: field) { (cursor, wire) throws(InferenceError) in
            switch wire {
            case .varint: try element(&cursor)
            case .bytes:
                var packed = ProtobufCursor(try cursor.slice())
                while !packed.isAtEnd { try element(&packed) }
            case .fixed32, .fixed64: throw cursor.fault("whole numbers")
            }
        }
        guard index == count else { throw .wrongCount(name: name, count: index, shape: shape) }
    }

    private func fixed(
        _ contents: ProtobufSlice, field: UInt64, wire expected: ProtobufWire
    ) throws(InferenceError) {
        let size = datatype.elementBytes
        let count = try elementCount(contents, field: field, minimumBytes: size)
        let target = tensors.append(
            place: place, datatype: datatype, dimensions: shape, elementCount: count,
            byteCount: count * size)
        var filled = 0
        try values(contents, field: field) { (cursor, wire) throws(InferenceError) in
            let bytes: UnsafeRawBufferPointer
            if wire == .bytes {
                bytes = try cursor.slice().bytes
            } else if wire == expected {
                bytes = try cursor.take(size)
            } else {
                throw cursor.fault("\(datatype.name) values")
            }
            guard bytes.count % size == 0 else {
                throw cursor.fault("a multiple of \(size) bytes before")
            }
            guard bytes.count <= count * size - filled else {
                throw .wrongCount(name: name, count: nil, shape: shape)
            }
            (target + filled).copyBytes(from: bytes)
            filled += bytes.count
        }
        guard filled == count * size else {
            throw .wrongCount(name: name, count: filled / size, shape: shape)
        }
    }

    /// Counts them first: a list of where each is would take several times the message.
    private func strings(_ contents: ProtobufSlice) throws(InferenceError) {
        var count = 0
        var byteCount = 0
        try values(contents, field: 8) { (cursor, wire) throws(InferenceError) in
            guard wire == .bytes else { throw cursor.fault("strings of bytes") }
            byteCount += 4 + (try cursor.slice()).bytes.count
            count += 1
        }
        guard TensorShape.elementCount(shape) == count else {
            throw .wrongCount(name: name, count: count, shape: shape)
        }
        var target = tensors.append(
            place: place, datatype: .bytes, dimensions: shape, elementCount: count,
            byteCount: byteCount)
        try values(contents, field: 8) { (cursor, _) throws(InferenceError) in
            let bytes = try cursor.slice().bytes
            target.storeBytes(
                of: UInt32(truncatingIfNeeded: bytes.count).littleEndian, as: UInt32.self)
            (target + 4).copyBytes(from: bytes)
            target += 4 + bytes.count
        }
    }
}
