/// Puts `***` where a text that comes in pieces holds a secret value.
struct LogMask {
    /// Shorter values are words that also stand there for something else.
    static let shortest = 6
    private static let mask = Array("***".utf8)

    /// The longest first, so that one that begins another does not hide it.
    private let secrets: [[UInt8]]
    private let begins: [Bool]
    /// The end of what came, where it may be the begin of a secret.
    private var pending: [UInt8] = []

    /// - Parameter values: of several lines each line is a secret of its own.
    init(_ values: [String]) {
        var secrets: Set<[UInt8]> = []
        for value in values {
            for line in value.utf8.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D })
            where line.count >= Self.shortest { secrets.insert(Array(line)) }
        }
        self.secrets = secrets.sorted { ($1.count, $0.first ?? 0) < ($0.count, $1.first ?? 0) }
        var begins = [Bool](repeating: false, count: 256)
        for secret in self.secrets { if let first = secret.first { begins[Int(first)] = true } }
        self.begins = begins
    }

    var isEmpty: Bool { secrets.isEmpty }

    /// What may be shown by now.
    mutating func pass(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        shown(pending + bytes, isLast: false)
    }

    /// What was held back as nothing more comes.
    mutating func rest() -> [UInt8] { shown(pending, isLast: true) }

    private mutating func shown(_ all: [UInt8], isLast: Bool) -> [UInt8] {
        pending = []
        var shown: [UInt8] = []
        shown.reserveCapacity(all.count)
        var index = 0
        while index < all.count {
            // traps: a byte, below 256
            guard begins[Int(all[index])] else {
                shown.append(all[index])
                index += 1
                continue
            }
            let rest = all[index...]
            let mayGrow =
                !isLast && secrets.contains { rest.count < $0.count && $0.starts(with: rest) }
            if mayGrow {
                pending = Array(rest)
                return shown
            }
            if let secret = secrets.first(where: { rest.starts(with: $0) }) {
                shown += Self.mask
                index += secret.count
            } else {
                shown.append(all[index])
                index += 1
            }
        }
        return shown
    }
}
