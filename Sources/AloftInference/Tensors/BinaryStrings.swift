enum BinaryStrings {
    /// Each element of a BYTES tensor is a four-byte length and as many bytes.
    static func check(
        _ bytes: UnsafeRawBufferPointer, count: Int, name: String
    ) throws(InferenceError) {
        var offset = 0
        var found = 0
        while offset < bytes.count {
            guard bytes.count - offset >= 4 else {
                throw .badBinary(name: name, reason: "it ends within the length of a string")
            }
            let length = self.length(bytes, at: offset)
            guard bytes.count - offset - 4 >= length else {
                throw .badBinary(
                    name: name,
                    reason: "string \(found) is \(length) bytes long by its own account,"
                        + " more than follow")
            }
            offset += 4 + length
            found += 1
        }
        guard found == count else {
            throw .badBinary(
                name: name, reason: "it has \(found) strings; the shape means \(count)")
        }
    }

    /// Whether it is so many strings.
    static func areWhole(_ bytes: UnsafeRawBufferPointer, count: Int) -> Bool {
        do throws(InferenceError) {
            try check(bytes, count: count, name: "")
            return true
        } catch {
            return false
        }
    }

    /// The length of the string that begins here, by its own account.
    ///
    /// - Parameter offset: at least four bytes follow.
    static func length(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int {
        Int(
            truncatingIfNeeded: UInt32(
                littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }
}

extension UnsafeMutableRawPointer {
    /// Copies all bytes of `source` here.
    func copyBytes(from source: UnsafeRawBufferPointer) {
        guard let start = source.baseAddress else { return }
        copyMemory(from: start, byteCount: source.count)
    }
}
