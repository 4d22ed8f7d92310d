import Foundation

/// What a person reads: standard output for results, standard error for everything else. Whatever comes
/// from strangers goes through `PrintableText` here, so that no command can forget it.
enum Terminal {
    static func line(_ text: String = "") {
        write(PrintableText.of(text) + "\n")
    }

    /// What a job printed, with its own line ends: byte for byte into a file or a pipe.
    static func text(_ text: String) { write(isInteractive ? PrintableText.log(text) : text) }

    /// JSON that came as text.
    static func json(text: String) { write(PrintableText.json(text) + "\n") }

    private static func write(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }

    static func error(_ text: String) {
        FileHandle.standardError.write(Data(("aloft: " + PrintableText.of(text) + "\n").utf8))
    }

    /// A remark beside the result, on standard error.
    static func note(_ text: String) {
        FileHandle.standardError.write(Data((PrintableText.of(text) + "\n").utf8))
    }

    /// Whether standard output is a terminal, so that a live display makes sense.
    static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Writes without a line end, for progress that is drawn over (`\r` first).
    static func redraw(_ text: String) {
        write("\r\u{1B}[2K" + PrintableText.line(text))
    }

    /// Prints a value as JSON, sorted and indented.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        json(text: String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
