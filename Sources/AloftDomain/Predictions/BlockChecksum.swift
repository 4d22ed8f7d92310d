package enum BlockChecksum {
    /// Multiplies and folds eight bytes at a time: cheap, and a torn or overwritten block shows.
    package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
        var offset = 0
        func mix(_ word: UInt64) {
            let (high, low) = (state ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
            state = high ^ low
        }
        while offset + 8 <= bytes.count {
            mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        var tail: UInt64 = 0
        for byte in bytes[offset...] { tail = tail << 8 | UInt64(byte) }
        mix(tail)
        return state
    }
}
