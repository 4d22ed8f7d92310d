/// The line of a failed command's log that says most of why it failed: what a person would read first.
package enum TellingLine {
    private static let longest = 300

    /// The last line that names an error, such as `ValueError: could not convert string to float`, else the
    /// last that says anything; `nil` where there is none.
    ///
    /// - Parameter tail: the end of a log.
    package static func of(_ tail: String) -> String? {
        let lines = tail.pieces(atAnyOf: "\n\r".unicodeScalars).map(plain).filter(isTelling)
        return lines.last(where: namesError) ?? lines.last
    }

    /// Without what colours a terminal and what cannot be printed.
    private static func plain(_ line: Substring) -> String {
        var result = String.UnicodeScalarView()
        var isEscape = false
        for scalar in line.unicodeScalars {
            if isEscape {
                // An escape sequence ends with a letter.
                isEscape = !scalar.properties.isAlphabetic
            } else if scalar.value == 27 {
                isEscape = true
            } else if scalar.value >= 32, scalar.value != 127 {
                result.append(scalar)
            }
            if result.count >= longest { break }
        }
        let blank = { (scalar: Unicode.Scalar) in scalar.properties.isWhitespace }
        return String(
            String.UnicodeScalarView(
                result.drop(while: blank).reversed().drop(while: blank).reversed()))
    }

    /// What a client says when its run ends, and marks under code, say nothing of an error.
    private static func isTelling(_ line: String) -> Bool {
        line.unicodeScalars.contains { $0.properties.isAlphabetic }
            && !["View run ", "View experiment at"].contains { line.contains($0) }
    }

    /// `Name: …` or `Name` alone, where the last part of the name ends as those of errors do.
    private static func namesError(_ line: String) -> Bool {
        let name = line.unicodeScalars.prefix { $0 != ":" && $0 != " " }
        let ending = String(String.UnicodeScalarView(name))
        return ["Error", "Exception", "Interrupt", "Exit", "error", "fatal", "FATAL", "ERROR"]
            .contains { ending.ends(with: $0) }
    }
}
