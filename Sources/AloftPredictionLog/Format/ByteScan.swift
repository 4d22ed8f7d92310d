/// Reads little-endian numbers and byte runs, and never past the end.
struct ByteScan {
    let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Where `count` more bytes end, if there are as many.
    private func end(after count: Int) -> Int? {
        count <= bytes.count - offset ? offset + count : nil
    }

    mutating func take<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
        guard let end = end(after: MemoryLayout<Number>.size) else { return nil }
        defer { offset = end }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    /// - Parameter count: at least 0.
    mutating func take(count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, let end = end(after: count) else { return nil }
        defer { offset = end }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<end])
    }

    /// A run with its length before it.
    mutating func takeBytes<Length: FixedWidthInteger>(
        _: Length.Type
    ) -> UnsafeRawBufferPointer? {
        guard let count = take(Length.self) else { return nil }
        return take(count: Int(count))
    }

    /// A text with its length before it; what is no text is mended.
    mutating func takeText<Length: FixedWidthInteger>(_ length: Length.Type) -> String? {
        takeBytes(length).map { String(decoding: $0, as: UTF8.self) }
    }

    var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[offset...]) }
}
