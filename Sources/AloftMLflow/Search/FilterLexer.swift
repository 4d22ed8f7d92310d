import AloftDomain

/// The words of a filter.
enum FilterToken: Equatable {
    /// A bare word; may hold dots and quoted parts: ``metrics.`my key` ``.
    case word([WordPart])
    /// A text in quotes.
    case text(String, quote: UnicodeScalar)
    case number(Double)
    case comparator(String)
    case open
    case close
    case comma

    struct WordPart: Equatable {
        var text: String
        var isQuoted: Bool
    }
}

/// Splits a filter into words, by code points: a quote is one whatever mark follows it.
struct FilterLexer {
    private let characters: [UnicodeScalar]
    private var offset = 0
    /// Tokens, and the parts of words.
    private var pieces = 0

    init(_ filter: String) { characters = Array(filter.unicodeScalars) }

    /// The longest filter that is read, in UTF-8 bytes.
    static let longest = 100_000
    /// The most words, numbers and signs: each takes many times its length.
    private static let mostTokens = 10_000

    static func tokens(_ filter: String) throws -> [FilterToken] {
        guard filter.utf8.count <= longest else {
            throw ProtocolError.invalid("The filter is longer than \(longest) bytes.")
        }
        var lexer = FilterLexer(filter)
        var tokens: [FilterToken] = []
        while let token = try lexer.next() {
            try lexer.count()
            tokens.append(token)
        }
        return tokens
    }

    private mutating func count() throws {
        pieces += 1
        guard pieces <= Self.mostTokens else {
            throw ProtocolError.invalid(
                "The filter has more than \(Self.mostTokens) words, numbers and signs.")
        }
    }

    private mutating func next() throws -> FilterToken? {
        while offset < characters.count, characters[offset].properties.isWhitespace { offset += 1 }
        guard offset < characters.count else { return nil }
        let character = characters[offset]
        switch character {
        case "(", ")", ",":
            offset += 1
            return character == "(" ? .open : character == ")" ? .close : .comma
        case "=", "!", "<", ">":
            return try comparator()
        case "'":
            return .text(try quoted(), quote: "'")
        case "\"":
            let text = try quoted()
            // A quoted name may go on: "entity".key
            if offset < characters.count, characters[offset] == "." {
                return try word([.init(text: text, isQuoted: true)])
            }
            return .text(text, quote: "\"")
        case ";":
            throw ProtocolError.invalid(
                "Search filter contained multiple expressions; only one is taken.")
        default:
            if let number = number() { return .number(number) }
            return try word([])
        }
    }

    private mutating func comparator() throws -> FilterToken {
        var text = ""
        while offset < characters.count, "=!<>".unicodeScalars.contains(characters[offset]) {
            text.unicodeScalars.append(characters[offset])
            offset += 1
        }
        guard ["=", "!=", "<", "<=", ">", ">="].contains(text) else {
            throw ProtocolError.invalid("Invalid comparator '\(text.prefix(20))' in the filter.")
        }
        return .comparator(text)
    }

    /// A text in quotes; its quote, doubled inside, stands for itself.
    private mutating func quoted() throws -> String {
        let quote = characters[offset]
        offset += 1
        var text = ""
        while offset < characters.count {
            let character = characters[offset]
            offset += 1
            if character != quote {
                text.unicodeScalars.append(character)
            } else if offset < characters.count, characters[offset] == quote, quote != "`" {
                text.unicodeScalars.append(quote)
                offset += 1
            } else {
                return text
            }
        }
        throw ProtocolError.invalid("Invalid clause(s) in filter string: a quote is not closed.")
    }

    /// A number, unless it is the start of a word.
    private mutating func number() -> Double? {
        guard characters[offset].isASCII,
            "+-.0123456789".unicodeScalars.contains(characters[offset])
        else {
            return nil
        }
        var end = offset
        while end < characters.count {
            let isSign = "+-".unicodeScalars.contains(characters[end])
            if isSign, end > offset, characters[end - 1] != "e", characters[end - 1] != "E" {
                break
            }
            guard characters[end].isASCII,
                isSign || "0123456789.eE".unicodeScalars.contains(characters[end])
            else { break }
            end += 1
        }
        if end < characters.count, !characters[end].properties.isWhitespace,
            !",)=!<>;".unicodeScalars.contains(characters[end])
        {
            return nil
        }
        guard let value = Double(text(characters[offset..<end])), value.isFinite else {
            return nil
        }
        offset = end
        return value
    }

    private func text(_ scalars: ArraySlice<UnicodeScalar>) -> String {
        String(String.UnicodeScalarView(scalars))
    }

    private mutating func word(_ start: [FilterToken.WordPart]) throws -> FilterToken {
        var parts = start
        var bare = ""
        while offset < characters.count {
            let character = characters[offset]
            // A key in quotes, as clients of other languages write it: tags.'key'.
            let isQuote = character == "\"" || character == "'"
            if character == "`" || (isQuote && bare.unicodeScalars.last == ".") {
                if !bare.isEmpty { parts.append(.init(text: bare, isQuoted: false)) }
                bare = ""
                try count()
                parts.append(.init(text: try quoted(), isQuoted: true))
                continue
            }
            if character.properties.isWhitespace || "()=!<>,;'\"".unicodeScalars.contains(character)
            {
                break
            }
            bare.unicodeScalars.append(character)
            offset += 1
        }
        if !bare.isEmpty { parts.append(.init(text: bare, isQuoted: false)) }
        return .word(parts)
    }
}
