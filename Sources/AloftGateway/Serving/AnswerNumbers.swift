import AloftInference

/// What an answer says, as numbers: for the score that is counted of each request, and for comparing
/// the answers of two revisions.
struct AnswerNumbers: Sendable, Equatable {
    /// The first tensor of floating-point numbers, else the first of any; at most `limit` of them.
    var values: [Double] = []
    /// How many of them make a row.
    var width = 1
    /// The class of each row, where the answer has a tensor of whole numbers, truth values or texts.
    /// Texts are told apart by a hash.
    var labels: [Double] = []

    /// The most numbers that are looked at.
    static let limit = 4096

    init(_ reply: TensorSet) {
        if let document = reply.document {
            self = Self(document: document)
            return
        }
        if let entry = Self.main(reply) {
            values = reply.numbers(entry, limit: Self.limit)
            width = max(1, entry.elementCount / max(1, reply.rows(entry)))
        }
        if let entry = reply.entries.first(where: { !$0.datatype.isReal }) {
            labels = reply.numbers(entry, limit: Self.limit)
        }
    }

    /// The score of a reply: the last number of its first row, so the probability of the last class
    /// where there are classes. `nil` where the reply has no numbers.
    static func score(_ reply: TensorSet) -> Double? {
        if let document = reply.document {
            let numbers = AnswerNumbers(document: document)
            return numbers.values.prefix(numbers.width).last
        }
        guard let entry = main(reply), entry.elementCount > 0 else { return nil }
        let rows = max(1, reply.rows(entry))
        return reply.number(entry, max(1, entry.elementCount / rows) - 1)
    }

    private static func main(_ reply: TensorSet) -> TensorSet.Entry? {
        var first: TensorSet.Entry?
        for entry in reply.entries where entry.datatype != .bytes {
            if entry.datatype.isReal { return entry }
            if first == nil { first = entry }
        }
        return first
    }

    /// What becomes of a copy whose shadow answered `other`; `nil` where both have another form.
    func difference(to other: AnswerNumbers) -> ShadowDifference? {
        guard values.count == other.values.count, width == other.width,
            labels.count == other.labels.count
        else { return nil }
        var found = ShadowDifference(numbers: UInt64(values.count))
        for (mine, theirs) in zip(values, other.values) {
            guard !(mine.isNaN && theirs.isNaN), mine != theirs else { continue }
            let difference = abs(mine - theirs)
            // What is no number on one side only is a difference without a size.
            guard difference.isFinite else {
                found.isOther = true
                continue
            }
            found.sum += difference
            found.largest = max(found.largest, difference)
            if difference > 1e-6 * max(1, abs(mine)) { found.isOther = true }
        }
        let (classes, others) = (classes, other.classes)
        found.classes = UInt64(classes.count)
        found.otherClasses = zip(classes, others).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) }
        found.isOther = found.isOther || found.otherClasses > 0
        return found
    }

    /// The class of each row: its label, else the place of its largest number; none for a single
    /// number without a label.
    private var classes: [Double] {
        if !labels.isEmpty { return labels }
        guard width > 1 else { return [] }
        return stride(from: 0, to: values.count - values.count % width, by: width).map { start in
            var best = start
            for place in start..<start + width where values[place] > values[best] { best = place }
            return Double(best - start)
        }
    }
}

/// How far two answers to one request are apart.
struct ShadowDifference: Sendable, Equatable {
    var numbers: UInt64
    var sum = 0.0
    var largest = 0.0
    var isOther = false
    var classes: UInt64 = 0
    var otherClasses: UInt64 = 0
}

extension Datatype {
    fileprivate var isReal: Bool {
        switch self {
        case .fp16, .bf16, .fp32, .fp64: true
        case .bool, .uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64, .bytes: false
        }
    }
}

extension TensorSet {
    fileprivate func rows(_ entry: Entry) -> Int {
        entry.rank > 0 ? Int(clamping: dimensions[entry.firstDimension]) : 1
    }

    fileprivate func numbers(_ entry: Entry, limit: Int) -> [Double] {
        if entry.datatype == .bytes {
            return (strings(entry) ?? []).prefix(limit).map { text in
                var hash: UInt64 = 0xCBF2_9CE4_8422_2325
                for byte in text { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
                return Double(hash >> 11)
            }
        }
        return (0..<min(entry.elementCount, limit)).map { number(entry, $0) }
    }

    /// One element as a number; 0 for a text.
    fileprivate func number(_ entry: Entry, _ place: Int) -> Double {
        let bytes = bytes(entry)
        let size = entry.datatype.elementBytes
        guard size > 0, (place + 1) * size <= bytes.count else { return 0 }
        func load<Number: BinaryInteger & BitwiseCopyable>(_ type: Number.Type) -> Double {
            Double(bytes.loadUnaligned(fromByteOffset: place * size, as: type))
        }
        switch entry.datatype {
        case .fp32:
            return Double(bytes.loadUnaligned(fromByteOffset: place * size, as: Float.self))
        case .fp64: return bytes.loadUnaligned(fromByteOffset: place * size, as: Double.self)
        case .fp16:
            return Double(bytes.loadUnaligned(fromByteOffset: place * size, as: Float16.self))
        case .bf16:
            let bits = bytes.loadUnaligned(fromByteOffset: place * size, as: UInt16.self)
            return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits) << 16))
        case .bool, .uint8: return load(UInt8.self)
        case .uint16: return load(UInt16.self)
        case .uint32: return load(UInt32.self)
        case .uint64: return load(UInt64.self)
        case .int8: return load(Int8.self)
        case .int16: return load(Int16.self)
        case .int32: return load(Int32.self)
        case .int64: return load(Int64.self)
        case .bytes: return 0
        }
    }
}
