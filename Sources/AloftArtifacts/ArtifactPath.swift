import AloftDomain
import Foundation

/// A relative path of an artifact, checked: no `..`, nothing absolute, no back-slash, no component
/// that is still percent-encoded to any of these. What a path is made of are code points: a slash is
/// one whatever mark follows it, as the file system has it.
package struct ArtifactPath: Sendable, Hashable {
    /// Without empty components. Empty for the root.
    package let components: [String]

    package var text: String { components.joined(separator: "/") }

    package init(components: [String]) throws(ArtifactError) {
        try self.init(components.joined(separator: "/"))
    }

    /// - Parameter text: decoded once already.
    /// - Throws: `ArtifactError.invalidPath`.
    package init(_ text: String) throws(ArtifactError) {
        guard text.utf8.count <= 4096, Self.isSafe(text), Self.isSafe(Self.decodedOften(text))
        else {
            throw ArtifactError.invalidPath(text)
        }
        let parts = text.pieces(at: "/").filter { !$0.isSame(as: ".") }.map(String.init)
        guard parts.count <= 100, parts.allSatisfy({ $0.utf8.count <= 255 }) else {
            throw ArtifactError.invalidPath(text)
        }
        components = parts
    }

    package static func == (left: ArtifactPath, right: ArtifactPath) -> Bool {
        left.text.isSame(as: right.text)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(ExactText(text)) }

    private static func isSafe(_ text: String) -> Bool {
        guard !text.begins(with: "/"), !text.holds("\\"), !text.holds("\0") else { return false }
        let start = text.utf8.prefix(2)
        if start.count == 2, start.last == UInt8(ascii: ":"),
            let first = start.first, (65...90).contains(first & 0xDF)
        {
            return false  // a drive letter
        }
        return text.pieces(at: "/").allSatisfy { part in
            let visible = part.unicodeScalars.drop { $0.properties.isWhitespace }
            return !Substring(visible).isSame(as: "..")
        }
    }

    /// As an over-eager reader would see it: decoded until nothing is left to decode.
    private static func decodedOften(_ text: String) -> String {
        var current = text
        for _ in 0..<5 {
            guard current.holds("%"), let decoded = current.removingPercentEncoding,
                !decoded.isSame(as: current)
            else { break }
            current = decoded
        }
        return current
    }
}
