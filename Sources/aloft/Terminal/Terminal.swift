import Foundation

/// What a person reads: standard output for results, standard error for everything else.
enum Terminal {
    static func line(_ text: String = "") {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    /// Text as it is, with its own line ends.
    static func text(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }

    static func error(_ text: String) {
        FileHandle.standardError.write(Data(("aloft: " + text + "\n").utf8))
    }

    /// A remark beside the result, on standard error.
    static func note(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    /// Whether standard output is a terminal, so that a live display makes sense.
    static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Writes without a line end, for progress that is drawn over (`\r` first).
    static func redraw(_ text: String) {
        FileHandle.standardOutput.write(Data(("\r\u{1B}[2K" + text).utf8))
    }

    /// Prints a value as JSON, sorted and indented.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        line(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
