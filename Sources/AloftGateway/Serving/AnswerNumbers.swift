import AloftDomain
import AloftInference

/// What an answer says, as numbers: for the score that is counted of each request, and for comparing
/// the answers of two revisions.
struct AnswerNumbers: Sendable, Equatable {
    /// What `values` are.
    var form = AnswerKind.Form.texts
    /// The first tensor of floating-point numbers, else the first of any; at most `limit` of them.
    var values: [Double] = []
    /// How many of them make a row.
    var width = 1
    /// The class of each row, where the answer has a tensor of whole numbers, truth values or texts.
    /// Texts are told apart by a hash.
    var labels: [Double] = []
    var areTexts = false

    /// The most numbers that are looked at.
    static let limit = 4096

    init(_ reply: TensorSet) {
        if let document = reply.document {
            self = Self(document: document)
            return
        }
        if let entry = Self.main(reply) {
            values = reply.numbers(entry, limit: Self.limit)
            width = Self.width(entry, of: reply)
            form = Self.form(entry.datatype, width: width)
        }
        if let entry = reply.entries.first(where: { !$0.datatype.isReal }) {
            labels = reply.numbers(entry, limit: Self.limit)
            areTexts = entry.datatype == .bytes
        }
    }

    /// One number that stands for an answer.
    struct Score: Sendable, Equatable {
        var form: AnswerKind.Form
        var width: Int
        var value: Double
    }

    /// The score of a reply: the last number of its first row, so the probability of the last class
    /// where there are classes. `nil` where the reply is empty.
    static func score(_ reply: TensorSet) -> Score? {
        if let document = reply.document {
            let numbers = AnswerNumbers(document: document)
            guard numbers.form != .texts else {
                return numbers.labels.isEmpty ? nil : Score(form: .texts, width: 1, value: 0)
            }
            return numbers.values.prefix(numbers.width).last.map {
                Score(form: numbers.form, width: numbers.width, value: $0)
            }
        }
        guard let entry = main(reply) else {
            return reply.entries.contains { $0.elementCount > 0 }
                ? Score(form: .texts, width: 1, value: 0) : nil
        }
        guard entry.elementCount > 0 else { return nil }
        let width = width(entry, of: reply)
        return Score(
            form: form(entry.datatype, width: width), width: width,
            value: reply.number(entry, width - 1))
    }

    private static func main(_ reply: TensorSet) -> TensorSet.Entry? {
        var first: TensorSet.Entry?
        for entry in reply.entries where entry.datatype != .bytes {
            if entry.datatype.isReal { return entry }
            if first == nil { first = entry }
        }
        return first
    }

    private static func width(_ entry: TensorSet.Entry, of reply: TensorSet) -> Int {
        max(1, entry.elementCount / max(1, reply.rows(entry)))
    }

    private static func form(_ datatype: Datatype, width: Int) -> AnswerKind.Form {
        !datatype.isReal ? .labels : width == 1 ? .number : .row
    }

    /// What becomes of a copy whose shadow answered `other`. Numbers are compared where both are of
    /// one kind, classes where both say some.
    func difference(to other: AnswerNumbers) -> ShadowDifference {
        let classes = classes(beside: other)
        guard isLike(other), values.count == other.values.count,
            form != .texts || classes != nil
        else {
            guard !isLike(other), classes != nil else {
                return ShadowDifference(incomparable: words(against: other))
            }
            return ShadowDifference().adding(classes)
        }
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
        return found.adding(classes)
    }

    /// The classes of both, row by row: their labels, else the places of their largest numbers. `nil`
    /// where one has none, or has others.
    private func classes(beside other: AnswerNumbers) -> (mine: [Double], theirs: [Double])? {
        if !labels.isEmpty, labels.count == other.labels.count, areTexts == other.areTexts {
            return (labels, other.labels)
        }
        guard width > 1, width == other.width, values.count == other.values.count,
            form == .row, other.form == .row
        else { return nil }
        return (places, other.places)
    }

    private var places: [Double] {
        stride(from: 0, to: values.count - values.count % width, by: width).map { start in
            var best = start
            for place in start..<start + width where values[place] > values[best] { best = place }
            return Double(best - start)
        }
    }

    private func isLike(_ other: AnswerNumbers) -> Bool {
        form == other.form && width == other.width
    }

    private func words(against other: AnswerNumbers) -> String {
        if isLike(other) { return "both have other numbers of rows" }
        let (mine, theirs) = (
            AnswerKind(form: form, width: width), AnswerKind(form: other.form, width: other.width)
        )
        return "the answer is \(mine.text), the shadow's \(theirs.text)"
    }
}

/// How far two answers to one request are apart.
struct ShadowDifference: Sendable, Equatable {
    var numbers: UInt64 = 0
    var sum = 0.0
    var largest = 0.0
    var isOther = false
    var classes: UInt64 = 0
    var otherClasses: UInt64 = 0
    /// Why nothing was compared.
    var incomparable: String?

    fileprivate func adding(
        _ both: (mine: [Double], theirs: [Double])?
    ) -> ShadowDifference {
        guard let both else { return self }
        var found = self
        found.classes = UInt64(both.mine.count)
        found.otherClasses = zip(both.mine, both.theirs).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) }
        found.isOther = found.isOther || found.otherClasses > 0
        return found
    }
}

extension Datatype {
    fileprivate var isReal: Bool {
        switch self {
        case .fp16, .bf16, .fp32, .fp64: true
        case .bool, .uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64, .bytes: false
        }
    }
}

extension Datatype {
    /// Neither truth values nor whole numbers.
    var isRealOrText: Bool { isReal || self == .bytes }
}

extension TensorSignature {
    /// Whether it gives real numbers.
    var isReal: Bool { datatype.isReal }
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
