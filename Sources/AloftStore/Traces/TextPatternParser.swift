import AloftDomain

// text-file: patterns are read by Unicode scalars, and `split` is an instruction here
/// What a pattern is made of.
indirect enum TextPatternNode {
    case empty
    case characters(TextPattern.Characters)
    case assertion(TextPattern.Assertion)
    case sequence([TextPatternNode])
    case either([TextPatternNode])
    /// `most` of `nil` is without end.
    case repeated(TextPatternNode, least: Int, most: Int?)
}

/// Reads the text of a pattern.
struct TextPatternParser {
    private static let maxDepth = 50
    private static let maxCount = 1000

    private var rest: Substring.UnicodeScalarView
    private var depth = 0
    private(set) var ignoresCase = false

    init(_ text: String) {
        let afterFlag = text.rest(after: "(?i)")
        ignoresCase = afterFlag != nil
        rest = (afterFlag ?? text[...]).unicodeScalars
    }

    mutating func parse() throws(TextPattern.Fault) -> TextPatternNode {
        let node = try alternatives()
        guard rest.isEmpty else { throw fault("a ')' without its '('") }
        return node
    }

    private func fault(_ reason: String) -> TextPattern.Fault { TextPattern.Fault(reason: reason) }

    private mutating func takes(_ scalar: Unicode.Scalar) -> Bool {
        guard rest.first == scalar else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func alternatives() throws(TextPattern.Fault) -> TextPatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else {
            throw fault("groups in more than \(Self.maxDepth) groups")
        }
        var ways = [try sequence()]
        while takes("|") { ways.append(try sequence()) }
        return ways.count == 1 ? ways[0] : .either(ways)
    }

    private mutating func sequence() throws(TextPattern.Fault) -> TextPatternNode {
        var nodes: [TextPatternNode] = []
        while let next = rest.first, next != "|", next != ")" {
            let node = try item()
            nodes.append(try repetition(of: node))
        }
        return nodes.isEmpty ? .empty : nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private mutating func item() throws(TextPattern.Fault) -> TextPatternNode {
        guard let scalar = rest.popFirst() else { return .empty }
        switch scalar {
        case ".": return .characters(.init(ranges: [10...10], isNegated: true))
        case "^": return .assertion(.start)
        case "$": return .assertion(.end)
        case "(": return try group()
        case "[": return .characters(try bracket())
        case "\\": return try escape()
        case "*", "+", "?": throw fault("nothing to repeat before '\(scalar)'")
        default: return .characters(.init(ranges: [literal(scalar)]))
        }
    }

    private func literal(_ scalar: Unicode.Scalar) -> ClosedRange<UInt32> {
        let value = ignoresCase ? TextPattern.folded(scalar) : scalar.value
        return value...value
    }

    private mutating func group() throws(TextPattern.Fault) -> TextPatternNode {
        if takes("?") {
            switch rest.popFirst() {
            case ":": break
            case "P" where takes("<"), "<" where rest.first != "=" && rest.first != "!":
                guard let end = rest.firstIndex(of: ">") else {
                    throw fault("a group's name without its end")
                }
                rest = rest[rest.index(after: end)...]
            case "=", "!", "<": throw fault("looking around is not supported")
            case "P": throw fault("references back are not supported")
            default: throw fault("options other than (?i) at the start are not supported")
            }
        }
        let node = try alternatives()
        guard takes(")") else { throw fault("a '(' without its ')'") }
        return node
    }

    private mutating func repetition(
        of node: TextPatternNode
    ) throws(TextPattern.Fault) -> TextPatternNode {
        guard let counts = try counts() else { return node }
        // What is taken first makes no difference to whether there is a match.
        if !takes("?"), takes("+") {
            throw fault("possessive repetition is not supported")
        }
        if let next = rest.first, next == "*" || next == "+" || next == "?" {
            throw fault("a repetition of a repetition")
        }
        return .repeated(node, least: counts.least, most: counts.most)
    }

    private mutating func counts() throws(TextPattern.Fault) -> (least: Int, most: Int?)? {
        if takes("*") { return (0, nil) }
        if takes("+") { return (1, nil) }
        if takes("?") { return (0, 1) }
        guard takes("{") else { return nil }
        let least = number()
        let isRange = takes(",")
        let most = isRange ? number() : least
        guard takes("}"), isRange || least != nil, least != nil || most != nil else {
            throw fault("write \\{ for a brace that counts nothing")
        }
        guard max(least ?? 0, most ?? 0) <= Self.maxCount, most ?? .max >= least ?? 0 else {
            throw fault("a count is over \(Self.maxCount), or the most is less than the least")
        }
        return (least ?? 0, most)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = rest.first, ("0"..."9").contains(scalar) {
            rest.removeFirst()
            value = min((value ?? 0) * 10 + Int(scalar.value - 48), 1_000_000)
        }
        return value
    }
}

// Sets of characters.
extension TextPatternParser {
    private static let digits: [ClosedRange<UInt32>] = [48...57]
    private static let spaces: [ClosedRange<UInt32>] = [9...13, 28...32, 133...133, 160...160]
    /// Letters and digits of ASCII, and all letters of other scripts as good as that is quick.
    private static let words: [ClosedRange<UInt32>] = [
        48...57, 65...90, 95...95, 97...122, 0xAA...0xAA, 0xB5...0xB5, 0xBA...0xBA, 0xC0...0xD6,
        0xD8...0xF6, 0xF8...0x2C1, 0x370...0x373, 0x376...0x377, 0x37B...0x37D, 0x386...0x386,
        0x388...0x481, 0x48A...0x559, 0x560...0x588, 0x5D0...0x64A, 0x660...0x669,
        0x66E...0x1FFF, 0x2C00...0x2DFF, 0x3005...0x3007, 0x3031...0xD7FF, 0xF900...0xFDFF,
        0xFE70...0xFEFC, 0xFF10...0xFF19, 0xFF21...0xFF3A, 0xFF41...0xFFDC, 0x10000...0x1EFFF,
        0x20000...0x3FFFF,
    ]

    private mutating func escape() throws(TextPattern.Fault) -> TextPatternNode {
        guard let scalar = rest.popFirst() else { throw fault("a '\\' at the end") }
        switch scalar {
        case "b": return .assertion(.wordBoundary)
        case "B": return .assertion(.noWordBoundary)
        case "A": return .assertion(.start)
        case "Z": return .assertion(.end)
        case "1"..."9": throw fault("references back are not supported")
        default:
            if let set = Self.set(scalar) { return .characters(set) }
            return .characters(.init(ranges: [try escaped(scalar)]))
        }
    }

    private static func set(_ scalar: Unicode.Scalar) -> TextPattern.Characters? {
        switch scalar {
        case "d": .init(ranges: digits)
        case "D": .init(ranges: digits, isNegated: true)
        case "s": .init(ranges: spaces)
        case "S": .init(ranges: spaces, isNegated: true)
        case "w": .init(ranges: words)
        case "W": .init(ranges: words, isNegated: true)
        default: nil
        }
    }

    private func escaped(_ scalar: Unicode.Scalar) throws(TextPattern.Fault) -> ClosedRange<UInt32>
    {
        switch scalar {
        case "n": return 10...10
        case "r": return 13...13
        case "t": return 9...9
        case "f": return 12...12
        case "v": return 11...11
        default:
            guard !(scalar.value < 128 && (scalar.properties.isAlphabetic || scalar.value == 48))
            else { throw fault("'\\\(scalar)' is not supported") }
            return literal(scalar)
        }
    }

    private mutating func bracket() throws(TextPattern.Fault) -> TextPattern.Characters {
        var ranges: [ClosedRange<UInt32>] = []
        let isNegated = takes("^")
        var isFirst = true
        while true {
            guard let scalar = rest.popFirst() else { throw fault("a '[' without its ']'") }
            if scalar == "]", !isFirst { return .init(ranges: ranges, isNegated: isNegated) }
            isFirst = false
            if scalar == "\\", let next = rest.first, let known = Self.set(next) {
                rest.removeFirst()
                guard !known.isNegated else { throw fault("'\\\(next)' inside of brackets") }
                ranges += known.ranges
                continue
            }
            let low = try member(scalar)
            let before = rest
            guard takes("-"), let end = rest.popFirst(), end != "]" else {
                rest = before
                ranges.append(contentsOf: folded(low...low))
                continue
            }
            let high = try member(end)
            guard low <= high else { throw fault("a range that ends before it starts") }
            ranges.append(contentsOf: folded(low...high))
        }
    }

    private mutating func member(_ scalar: Unicode.Scalar) throws(TextPattern.Fault) -> UInt32 {
        guard scalar == "\\" else { return scalar.value }
        guard let next = rest.popFirst() else { throw fault("a '[' without its ']'") }
        if next == "b" { return 8 }
        return try escaped(next).lowerBound
    }

    /// Texts are folded before they are looked at: a range of capitals stands for small letters.
    private func folded(_ range: ClosedRange<UInt32>) -> [ClosedRange<UInt32>] {
        guard ignoresCase else { return [range] }
        let capitals = range.clamped(to: 65...90)
        var ranges = [range]
        if range.overlaps(65...90) {
            ranges.append((capitals.lowerBound + 32)...(capitals.upperBound + 32))
        }
        if range.lowerBound == range.upperBound, let scalar = Unicode.Scalar(range.lowerBound) {
            ranges = [literal(scalar)]
        }
        return ranges
    }
}

/// Writes a pattern out as instructions.
struct TextPatternCompiler {
    private(set) var program: [TextPattern.Instruction] = []
    /// Nodes written out, also those that give no instruction.
    private var visits = 0

    mutating func add(_ node: TextPatternNode) throws(TextPattern.Fault) {
        visits += 1
        // One for the end, which comes last.
        guard program.count < TextPattern.maxInstructions - 1,
            visits < TextPattern.maxInstructions * 10
        else {
            throw TextPattern.Fault(
                reason: "it takes more than \(TextPattern.maxInstructions) steps when its "
                    + "repetitions are written out")
        }
        switch node {
        case .empty: break
        case .characters(let characters): program.append(.take(characters))
        case .assertion(let assertion): program.append(.assert(assertion))
        case .sequence(let nodes): for node in nodes { try add(node) }
        case .either(let ways): try add(either: ways)
        case .repeated(let node, let least, let most):
            for _ in 0..<least { try add(node) }
            if let most {
                try add(optional: node, times: most - least)
            } else {
                try add(endless: node)
            }
        }
    }

    private mutating func add(either ways: [TextPatternNode]) throws(TextPattern.Fault) {
        var ends: [Int] = []
        for (index, way) in ways.enumerated() {
            guard index < ways.count - 1 else {
                try add(way)
                break
            }
            let split = program.count
            program.append(.jump(0))
            try add(way)
            ends.append(program.count)
            program.append(.jump(0))
            program[split] = .split(split + 1, program.count)
        }
        for end in ends { program[end] = .jump(program.count) }
    }

    private mutating func add(
        optional node: TextPatternNode, times: Int
    ) throws(TextPattern.Fault) {
        var splits: [Int] = []
        for _ in 0..<max(0, times) {
            splits.append(program.count)
            program.append(.jump(0))
            try add(node)
        }
        for split in splits { program[split] = .split(split + 1, program.count) }
    }

    private mutating func add(endless node: TextPatternNode) throws(TextPattern.Fault) {
        let split = program.count
        program.append(.jump(0))
        try add(node)
        program.append(.jump(split))
        program[split] = .split(split + 1, program.count)
    }
}
