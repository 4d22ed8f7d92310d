import AloftDomain
import AloftInference

/// Which bodies MLflow scoring takes where ONNX answers: as MLflow's own server says, but that capitals in a
/// type mean nothing, and that a body whose program names no type, or that of a form, is JSON.
enum ScoringType {
    /// - Throws: `InferenceError.wrongType`.
    static func isCSV(_ contentType: String) throws(InferenceError) -> Bool {
        // What nearly all send.
        if contentType.isSame(as: "application/json") { return false }
        let parts = contentType.pieces(at: ";", keepingEmpty: true)
        for part in parts.dropFirst() {
            let pair = part.pieces(at: "=", most: 2, keepingEmpty: true)
            let name = trimmed(pair.first ?? "")
            guard name.isSame(as: "charset") else {
                throw .wrongType(
                    reason: "The content type has the parameter \"\(name.prefix(100))\"; only "
                        + "\"charset\" says something here.")
            }
            guard trimmed(pair.last ?? "").isSame(as: "utf-8") else {
                throw .wrongType(reason: "The body must be UTF-8, whatever its content type says.")
            }
        }
        let type = trimmed(parts.first ?? "")
        switch type {
        case "text/csv": return true
        case "application/json", "application/x-www-form-urlencoded", "": return false
        case "application/vnd.apache.parquet":
            throw .wrongType(
                reason:
                    "Parquet is read where Python answers; this model runs as ONNX, which takes "
                    + "application/json and text/csv.")
        default:
            throw .wrongType(
                reason:
                    "The content type is \"\(type.prefix(200))\"; scoring takes application/json and "
                    + "text/csv.")
        }
    }

    /// In small letters, without blanks around it.
    private static func trimmed(_ text: some StringProtocol) -> String {
        func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" }
        var rest = Substring(text).unicodeScalars.drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
        return String(String.UnicodeScalarView(rest)).lowercased()
    }
}
