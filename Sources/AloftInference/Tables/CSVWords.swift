/// Words and blanks as pandas reads them in CSV, which is what MLflow reads it with.
enum CSVWords {
    /// What says that a value is missing, beside nothing at all; by length.
    private static let missing: Set<String> = [
        "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>",
        "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    ]

    static func isMissing(_ field: UnsafeRawBufferPointer) -> Bool {
        guard field.count >= 2, field.count <= 8 else { return false }
        return missing.contains(String(decoding: field, as: UTF8.self))
    }

    static func withoutBlanks(around field: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var rest = field.drop { isBlank($0) }
        while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
        return UnsafeRawBufferPointer(rebasing: rest)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
