import NIOCore

/// Messages as a call's bytes hold them, and bytes that nobody would send by intent.
enum Framed {
    static func message(_ content: [UInt8], flag: UInt8 = 0) -> [UInt8] {
        prefix(length: UInt32(content.count), flag: flag) + content
    }

    static func prefix(length: UInt32, flag: UInt8 = 0) -> [UInt8] {
        [flag] + withUnsafeBytes(of: length.bigEndian) { Array($0) }
    }

    /// Different messages of different lengths, none among them.
    static func messages(_ chance: inout SeededChance, count: Int) -> [[UInt8]] {
        (0..<count).map { _ in
            (0..<Int.random(in: 0...40, using: &chance)).map { _ in
                UInt8.random(in: 0...255, using: &chance)
            }
        }
    }

    /// The bytes in pieces, cut anywhere.
    static func pieces(_ bytes: [UInt8], _ chance: inout SeededChance) -> [ByteBuffer] {
        var rest = bytes[...]
        var pieces: [ByteBuffer] = []
        while !rest.isEmpty {
            let count = Int.random(in: 1...max(1, min(rest.count, 17)), using: &chance)
            pieces.append(ByteBuffer(bytes: rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }
}

/// SplitMix64: the same for the same seed, everywhere.
struct SeededChance: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: Int) { state = UInt64(bitPattern: Int64(seed)) }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
