import Foundation

/// Numbers as people read them, whatever the machine's language: six digits, and a power of ten beyond.
enum NumberText {
    /// The protocol of tracking writes the largest number there is where infinity was logged.
    static func short(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.magnitude >= .greatestFiniteMagnitude {
            return number < 0 ? "-Infinity" : "Infinity"
        }
        return String(format: "%.6g", number)
    }
}
