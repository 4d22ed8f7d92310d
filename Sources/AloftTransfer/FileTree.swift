import AloftDomain
import Crypto
import Foundation

/// Files and folders that land whole.
enum FileTree {
    static func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// Makes folders below `root`, none of which may be a link: what lies in the folder that is
    /// written to may be another's.
    ///
    /// - Throws: `SourceError` if one is a link, or a file.
    static func makeFolder(_ below: String, in root: String) throws {
        try makeFolder(root)
        var path = root
        for part in below.pieces(at: "/") {
            path += "/" + part
            guard mkdir(path, 0o755) != 0 else { continue }
            guard errno == EEXIST else { throw fault(path) }
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                throw SourceError(
                    "\(path) is a link, or no folder; nothing is written through it. Remove it, or "
                        + "export to another folder", isRefusal: true)
            }
        }
    }

    /// Puts `data` at `path`, whole, over what was there.
    static func write(_ data: Data, to path: String) throws {
        let partial = path + ".partial"
        if unlink(partial) != 0, errno != ENOENT { throw fault(partial) }
        let file = try OutputFile(path: partial)
        try file.write(data)
        try file.finish()
        guard rename(partial, path) == 0 else { throw fault(path) }
    }

    /// Puts a new folder at `path`, filled by `fill`, in place of the one that was there. Stopped
    /// between the two renames, the old one is gone and the next time writes the new one.
    static func replace<Value>(
        _ path: String, _ fill: (String) async throws -> Value
    ) async throws -> Value {
        let partial = path + ".partial"
        let manager = FileManager.default
        // Also a link that leads nowhere; what a link leads to stays.
        var status = stat()
        if lstat(partial, &status) == 0 { try manager.removeItem(atPath: partial) }
        guard mkdir(partial, 0o755) == 0 else { throw fault(partial) }
        let value = try await fill(partial)
        if lstat(path, &status) == 0 { try manager.removeItem(atPath: path) }
        guard rename(partial, path) == 0 else { throw fault(path) }
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let descriptor = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fault(parent) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw fault(parent) }
        return value
    }

    static func fault(_ path: String) -> SourceError {
        // A full disk takes nothing more either.
        SourceError(
            "\(path): \(String(cString: strerror(errno)))",
            endsAll: [ENOSPC, EDQUOT, EROFS, EMFILE, ENFILE].contains(errno))
    }
}

/// A file that is written once, from start to end. Not for several tasks at once.
final class OutputFile {
    private let path: String
    private var descriptor: Int32

    init(path: String) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileTree.fault(path) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func write(_ text: String) throws { try write(Data(text.utf8)) }

    func write(_ data: Data) throws {
        try data.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
            var rest = bytes
            while !rest.isEmpty {
                let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw FileTree.fault(path)
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }

    /// Makes it durable.
    func finish() throws {
        guard fsync(descriptor) == 0 else { throw FileTree.fault(path) }
        close(descriptor)
        descriptor = -1
    }
}

/// Names of files for names of anything.
enum FileName {
    /// The name where it is plain, else with what is not percent-encoded; a long one is cut and ends
    /// with its digest. Different names never give the same file.
    static func of(_ name: String) -> String {
        var text = ""
        for (index, byte) in name.utf8.enumerated() {
            let isPlain =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
                || (byte == UInt8(ascii: ".") && index > 0)
            if isPlain {
                text.append(Character(UnicodeScalar(byte)))
            } else {
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        // `.partial` stands for what is not whole yet.
        guard text.utf8.count > 150 || text.ends(with: ".partial") || text.isEmpty else {
            return text
        }
        let digest = SHA256.hash(data: Data(name.utf8)).prefix(8)
        let suffix = digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return String(text.prefix(130)) + "~" + suffix
    }
}

enum CSV {
    static func cell(_ text: String) -> String {
        let isPlain = !text.unicodeScalars.contains {
            $0 == "," || $0 == "\"" || Character($0).isNewline
        }
        return isPlain ? text : "\"" + text.replacing(scalar: "\"", with: "\"\"") + "\""
    }

    /// The shortest text that gives the same number again.
    static func number(_ value: Double) -> String {
        value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : "\(value)"
    }
}
