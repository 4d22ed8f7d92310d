import Foundation

/// A text as a key: equal only to a text of the very same bytes. `String` itself takes texts for
/// equal that only look alike (é as one code point and as two), so that a dictionary of foreign names
/// would keep one of the two and lose the other.
package struct ExactText: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (left: ExactText, right: ExactText) -> Bool {
        left.text.isSame(as: right.text)
    }

    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

// Foreign text is bytes or code points. `Character` joins a slash with a mark that follows it, and a
// carriage return with the line feed after it: what looks for one of them by `Character` does not find
// it. These do.
extension StringProtocol where SubSequence == Substring {
    /// Whether both are the same bytes.
    package func isSame(as other: some StringProtocol) -> Bool {
        withBytes(other) { $0.count == $1.count && $0.begins(with: $1) }
            ?? utf8.elementsEqual(other.utf8)
    }

    package func begins(with prefix: some StringProtocol) -> Bool {
        withBytes(prefix) { $0.begins(with: $1) } ?? utf8.starts(with: prefix.utf8)
    }

    package func ends(with suffix: some StringProtocol) -> Bool {
        withBytes(suffix) { UnsafeBufferPointer(rebasing: $0.suffix($1.count)).begins(with: $1) }
            ?? utf8.reversed().starts(with: suffix.utf8.reversed())
    }

    /// Whether these bytes stand anywhere in the text.
    package func holds(text: some StringProtocol) -> Bool {
        withBytes(text) { whole, part in
            guard let first = part.first else { return true }
            return (0..<Swift.max(0, whole.count - part.count + 1)).contains { place in
                whole[place] == first
                    && UnsafeBufferPointer(rebasing: whole[place...]).begins(with: part)
            }
        } ?? (String(self).utf8.firstRange(of: text.utf8) != nil)
    }

    /// The bytes of both where they lie; `nil` where one of them has none in one piece.
    private func withBytes(
        _ other: some StringProtocol,
        _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) -> Bool
    ) -> Bool? {
        utf8.withContiguousStorageIfAvailable { own in
            other.utf8.withContiguousStorageIfAvailable { body(own, $0) }
        } ?? nil
    }

    /// What follows `prefix`; `nil` unless the text begins with it.
    package func rest(after prefix: some StringProtocol) -> Substring? {
        guard begins(with: prefix) else { return nil }
        return Substring(self[...].utf8.dropFirst(prefix.utf8.count))
    }

    package func holds(_ scalar: Unicode.Scalar) -> Bool { unicodeScalars.contains(scalar) }

    /// The parts between separators, without empty ones unless `keepingEmpty`.
    package func pieces(
        at separator: Unicode.Scalar, most: Int = .max, keepingEmpty: Bool = false
    ) -> [Substring] {
        self[...].unicodeScalars.split(
            separator: separator, maxSplits: most == .max ? .max : most - 1,
            omittingEmptySubsequences: !keepingEmpty
        ).map { Substring($0) }
    }

    /// The parts between any of the separators, without empty ones.
    package func pieces(atAnyOf separators: String.UnicodeScalarView) -> [Substring] {
        self[...].unicodeScalars.split { separators.contains($0) }.map { Substring($0) }
    }

    /// Without such scalars at the start.
    package func dropping(_ scalar: Unicode.Scalar) -> Substring {
        Substring(self[...].unicodeScalars.drop { $0 == scalar })
    }

    /// Without such scalars at the end.
    package func droppingLast(_ scalar: Unicode.Scalar) -> Substring {
        var scalars = self[...].unicodeScalars
        while scalars.last == scalar { scalars.removeLast() }
        return Substring(scalars)
    }
}

extension UnsafeBufferPointer<UInt8> {
    fileprivate func begins(with other: Self) -> Bool {
        guard count >= other.count else { return false }
        guard let own = baseAddress, let start = other.baseAddress else { return true }
        return memcmp(own, start, other.count) == 0
    }
}

extension String {
    /// Each `scalar` replaced, whatever follows it.
    package func replacing(scalar: Unicode.Scalar, with text: String) -> String {
        var result = String.UnicodeScalarView()
        for each in unicodeScalars {
            if each == scalar {
                result.append(contentsOf: text.unicodeScalars)
            } else {
                result.append(each)
            }
        }
        return String(result)
    }
}
