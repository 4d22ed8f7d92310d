/// Protobuf by hand.
enum Field {
    static func bytes(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length = content.count
        var head = [number << 3 | 2]
        while length >= 0x80 {
            head.append(UInt8(truncatingIfNeeded: length & 0x7F) | 0x80)
            length >>= 7
        }
        return head + [UInt8(truncatingIfNeeded: length)] + content
    }
}
