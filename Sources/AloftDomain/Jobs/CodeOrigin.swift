/// Where a folder of code comes from, as git says it: what a job's snapshot was made of.
package struct CodeOrigin: Sendable, Hashable, Codable {
    /// 40 or 64 hexadecimal digits.
    package var commit: String
    /// `nil` where no branch was checked out.
    package var branch: String?
    /// The address of `origin`, without a password.
    package var remote: String?
    /// Whether files were not as the commit has them.
    package var isDirty: Bool
    /// How they differed: a patch in the blob store. `nil` where they did not, or where it was too
    /// large to keep.
    package var diff: ContentDigest?

    package init(
        commit: String, branch: String? = nil, remote: String? = nil, isDirty: Bool = false,
        diff: ContentDigest? = nil
    ) {
        self.commit = commit
        self.branch = branch
        self.remote = remote
        self.isDirty = isDirty
        self.diff = diff
    }

    /// Whether it may be kept: a commit's name, and texts of a bounded length in one line.
    package var isPlausible: Bool {
        let isHex = commit.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        let isShort = [branch, remote].allSatisfy {
            ($0?.utf8.count ?? 0) <= 1000 && !($0?.utf8.contains { $0 < 32 } ?? false)
        }
        let isOpen = remote.map { Self.withoutSecrets($0).isSame(as: $0) } ?? true
        return isHex && (commit.utf8.count == 40 || commit.utf8.count == 64) && isShort && isOpen
    }

    /// A remote's address without the user's name and password that it may hold.
    package static func withoutSecrets(_ remote: String) -> String {
        let bytes = Array(remote.utf8)
        guard let colon = bytes.firstRange(of: "://".utf8) else { return remote }
        let rest = bytes[colon.upperBound...]
        let end = rest.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex
        var at = rest[..<end].lastIndex(of: UInt8(ascii: "@"))
        // A password with a slash in it, where a port would be digits.
        let port = rest[..<end].drop { $0 != UInt8(ascii: ":") }.dropFirst()
        if at == nil, !port.allSatisfy({ (48...57).contains($0) }) {
            at = rest.firstIndex(of: UInt8(ascii: "@"))
        }
        guard let at else { return remote }
        return String(decoding: bytes[..<colon.upperBound] + rest[(at + 1)...], as: UTF8.self)
    }
}
