import AloftDomain

/// Changes bodies: bits, numbers, words, lengths, pieces of others, and pieces again and again, which is
/// what makes a reader take much.
struct Mutator {
    let readers: [Reader]
    let mostBytes: Int
    private let good: [[Sample]]
    var chance: SplitMix64

    /// Numbers at which readers go wrong.
    private static let edges = [
        "0", "-0", "-1", "1e400", "1e-400", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808", "18446744073709551616", "4294967296", "2147483648", "NaN",
        "Infinity", "0.1", "\u{FEFF}", "\\ud800", "\\u0000", "\"", "null", "true", "{}", "[]", ",",
    ]

    init(readers: [Reader], seed: UInt64, mostBytes: Int) {
        self.readers = readers
        self.mostBytes = mostBytes
        chance = SplitMix64(seed: seed)
        let all = Sample.good(readers)
        good = readers.indices.map { place in all.filter { $0.reader == place } }
    }

    /// A changed body for this reader.
    mutating func next(reader place: Int) -> Sample {
        let reader = readers[place]
        var sample =
            good[place].randomElement(using: &chance)
            ?? Sample(reader: place, variant: 0, body: [])
        sample.variant = Int.random(in: 0..<max(1, reader.variants), using: &chance)
        for _ in 0..<Int.random(in: 1...6, using: &chance) {
            change(&sample.body, reader)
        }
        return sample
    }

    /// One change, of at most `mostBytes`.
    mutating func change(_ body: inout [UInt8], _ reader: Reader) {
        let kind = Int.random(in: 0..<20, using: &chance)
        switch kind {
        case 0...3: flip(&body)
        case 4, 5: insert(Self.edges.randomElement(using: &chance)?.body ?? [], &body)
        case 6...8: insert(reader.words.randomElement(using: &chance)?.body ?? [], &body)
        case 9, 10: body.removeSubrange(piece(of: body))
        case 11, 12: insert(Array(body[piece(of: body)]), &body)
        case 13: body.removeLast(Int.random(in: 0...body.count, using: &chance))
        case 14: number(&body)
        case 15: splice(&body, reader)
        case 16: overwrite(&body)
        case 17: swapPieces(&body)
        case 18: repeatPiece(&body, most: 4096)
        default: repeatPiece(&body, most: mostBytes)
        }
        if body.count > mostBytes { body.removeLast(body.count - mostBytes) }
    }

    private mutating func flip(_ body: inout [UInt8]) {
        guard let at = body.indices.randomElement(using: &chance) else { return }
        body[at] ^= 1 << UInt8.random(in: 0..<8, using: &chance)
    }

    private mutating func overwrite(_ body: inout [UInt8]) {
        guard let at = body.indices.randomElement(using: &chance) else { return }
        body[at] = [0, 1, 0x7F, 0x80, 0xFF, 0x22, 0x5C, 0x0A].randomElement(using: &chance) ?? 0
    }

    private mutating func insert(_ bytes: [UInt8], _ body: inout [UInt8]) {
        body.insert(contentsOf: bytes, at: Int.random(in: 0...body.count, using: &chance))
    }

    private mutating func piece(of body: [UInt8]) -> Range<Int> {
        let start = Int.random(in: 0...body.count, using: &chance)
        let most = Int.random(in: 0..<2, using: &chance) == 0 ? 16 : body.count
        return start..<min(body.count, start + Int.random(in: 0...most, using: &chance))
    }

    /// A run of digits becomes another number.
    private mutating func number(_ body: inout [UInt8]) {
        let digits = body.indices.filter { (48...57).contains(body[$0]) }
        guard let at = digits.randomElement(using: &chance) else { return flip(&body) }
        var end = at
        while end < body.count, (48...57).contains(body[end]) { end += 1 }
        body.replaceSubrange(at..<end, with: Self.edges.randomElement(using: &chance)?.body ?? [])
    }

    private mutating func splice(_ body: inout [UInt8], _ reader: Reader) {
        guard let other = reader.good.randomElement(using: &chance) else { return }
        insert(Array(other[piece(of: other)]), &body)
    }

    private mutating func swapPieces(_ body: inout [UInt8]) {
        let taken = piece(of: body)
        let bytes = Array(body[taken])
        body.removeSubrange(taken)
        insert(bytes, &body)
    }

    private mutating func repeatPiece(_ body: inout [UInt8], most: Int) {
        let place = piece(of: body)
        guard !place.isEmpty, most > place.count else { return }
        let times = Int.random(in: 1...(most / place.count), using: &chance)
        let bytes = Array(body[place])
        var repeated: [UInt8] = []
        repeated.reserveCapacity(bytes.count * times)
        for _ in 0..<times { repeated += bytes }
        body.insert(contentsOf: repeated, at: place.lowerBound)
    }
}
