/// Checksums of blocks of the prediction log: cheap, and a torn or overwritten block shows. Words of
/// eight bytes, little-endian, are multiplied to twice their length, whose halves are folded into one.
package enum BlockChecksum {
    private static let seed: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// Of blocks `ALP1` and `ALP2`: each word waits for the one before.
    package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state = seed ^ UInt64(bytes.count)
        let offset = fold(bytes, from: 0, into: &state)
        return fold(state, tail(bytes, from: offset))
    }

    /// Of blocks from `ALP3` on: four states take turns, so that multiplications overlap.
    package static func inLanes(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        let begin = seed ^ UInt64(bytes.count)
        var (a, b, c, d) = (begin, begin &+ seed, begin &+ seed &* 2, begin &+ seed &* 3)
        var offset = 0
        while offset + 32 <= bytes.count {
            a = fold(a, word(bytes, offset))
            b = fold(b, word(bytes, offset + 8))
            c = fold(c, word(bytes, offset + 16))
            d = fold(d, word(bytes, offset + 24))
            offset += 32
        }
        var state = fold(fold(fold(a, b), c), d)
        offset = fold(bytes, from: offset, into: &state)
        return fold(state, tail(bytes, from: offset))
    }

    @inline(__always)
    private static func fold(_ state: UInt64, _ word: UInt64) -> UInt64 {
        let (high, low) = (state ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return high ^ low
    }

    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Folds whole words one after another, and returns where they end.
    private static func fold(
        _ bytes: UnsafeRawBufferPointer, from start: Int, into state: inout UInt64
    ) -> Int {
        var offset = start
        while offset + 8 <= bytes.count {
            state = fold(state, word(bytes, offset))
            offset += 8
        }
        return offset
    }

    /// The bytes behind the last whole word.
    private static func tail(_ bytes: UnsafeRawBufferPointer, from offset: Int) -> UInt64 {
        bytes[offset...].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
