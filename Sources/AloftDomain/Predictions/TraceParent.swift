/// The header `traceparent` (W3C Trace Context, section 3.2): which trace a request belongs to.
package struct TraceParent: Sendable, Hashable {
    /// 32 hexadecimal digits, not all zero.
    package let traceID: String
    /// The caller's span: 16 hexadecimal digits, not all zero.
    package let parentID: String
    package let isSampled: Bool

    /// `nil` unless it is a valid header; a later version than 00 may have more behind.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 55, bytes[2] == 45, bytes[35] == 45, bytes[52] == 45,
            Self.areDigits(bytes[0..<2]), Self.areDigits(bytes[3..<35]),
            Self.areDigits(bytes[36..<52]), Self.areDigits(bytes[53..<55])
        else { return nil }
        let version = String(decoding: bytes[0..<2], as: UTF8.self)
        guard version != "ff", version == "00" ? bytes.count == 55 : true,
            bytes.count == 55 || bytes[55] == 45,
            bytes[3..<35].contains(where: { $0 != 48 }),
            bytes[36..<52].contains(where: { $0 != 48 })
        else { return nil }
        traceID = String(decoding: bytes[3..<35], as: UTF8.self)
        parentID = String(decoding: bytes[36..<52], as: UTF8.self)
        let flags = UInt8(String(decoding: bytes[53..<55], as: UTF8.self), radix: 16) ?? 0
        isSampled = flags & 1 == 1
    }

    /// Lower case only, as the standard asks.
    private static func areDigits(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    /// As it came in.
    package var text: String { "00-\(traceID)-\(parentID)-\(isSampled ? "01" : "00")" }

    /// As it goes on, with our own span as the parent.
    package func continued(by spanID: UInt64) -> String {
        "00-\(traceID)-\(PredictionID.hexadecimal(spanID, 16))-\(isSampled ? "01" : "00")"
    }
}
