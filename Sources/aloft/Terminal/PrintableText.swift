/// Text of strangers as a terminal may get it. Names, descriptions and errors come from whoever can write
/// to the server; control characters in them would move the cursor, set the window's title or write
/// into the clipboard, and those of bidirectional text show a name other than it is.
enum PrintableText {
    /// `text` with such characters written out, as in `\u{1b}`. Line ends and tabs stay.
    static func of(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isHidden) else { return text }
        return escaped(text, isKept: { $0 == "\n" || $0 == "\t" }) { scalar in
            "\\u{\(String(scalar.value, radix: 16))}"
        }
    }

    /// The same on one line: line ends and tabs become blanks.
    static func line(_ text: String) -> String {
        var blank = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            blank.append(scalar == "\n" || scalar == "\t" || scalar == "\r" ? " " : scalar)
        }
        return of(String(blank))
    }

    /// The same for JSON, which it stays: such characters are in its strings only.
    static func json(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isHidden) else { return text }
        return escaped(text, isKept: { $0 == "\n" || $0 == "\t" || $0 == "\r" }) { scalar in
            let digits = String(scalar.value, radix: 16)
            return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        }
    }

    /// What a job printed: its colours stay, and its carriage returns, which draw progress.
    static func log(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let scalar = rest.first {
            if scalar == "\u{1B}", let end = colourEnd(rest) {
                result.append(contentsOf: rest[..<end])
                rest = rest[end...]
                continue
            }
            rest = rest.dropFirst()
            if !isHidden(scalar) || ["\n", "\t", "\r"].contains(scalar) {
                result.append(scalar)
            } else {
                result.append(
                    contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            }
        }
        return String(result)
    }

    /// Where a sequence that only sets colours ends, if one begins here.
    private static func colourEnd(
        _ text: Substring.UnicodeScalarView
    ) -> Substring.UnicodeScalarView.Index? {
        var place = text.index(after: text.startIndex)
        guard place < text.endIndex, text[place] == "[" else { return nil }
        for _ in 0..<32 {
            place = text.index(after: place)
            guard place < text.endIndex else { return nil }
            switch text[place] {
            case "0"..."9", ";", ":": continue
            case "m": return text.index(after: place)
            default: return nil
            }
        }
        return nil
    }

    private static func escaped(
        _ text: String, isKept: (Unicode.Scalar) -> Bool, _ escape: (Unicode.Scalar) -> String
    ) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if !isHidden(scalar) || isKept(scalar) {
                result.append(scalar)
            } else {
                result.append(contentsOf: escape(scalar).unicodeScalars)
            }
        }
        return String(result)
    }

    /// Control characters, line and paragraph separators, and what steers bidirectional text.
    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
