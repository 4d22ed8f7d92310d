/// Tells what YAML would take in memory as values, by one look at its bytes before anything is read: lines of
/// `a: b` take two hundred times their length.
package enum YAMLWeight {
    /// Of a key with its value, of an item and of a container, with what the reader notes of each, in bytes.
    private static let pair = 850
    private static let item = 350
    private static let container = 560

    /// Whether reading it takes more than a mebibyte and so many times its bytes.
    package static func isTooHeavy(_ bytes: some Collection<UInt8>, perByte: Int) -> Bool {
        // Its own bytes are in memory up to three times.
        var left = (perByte - 3) * bytes.count + (1 << 20)
        var isAfterDash = false
        for byte in bytes {
            if isAfterDash, byte == 32 || byte == 10 || byte == 13 || byte == 9 { left -= item }
            isAfterDash = byte == UInt8(ascii: "-")
            switch byte {
            case UInt8(ascii: ":"), UInt8(ascii: "?"): left -= pair
            case UInt8(ascii: ","): left -= item
            case UInt8(ascii: "["), UInt8(ascii: "{"): left -= container
            default: break
            }
            if left < 0 { return true }
        }
        return false
    }
}
