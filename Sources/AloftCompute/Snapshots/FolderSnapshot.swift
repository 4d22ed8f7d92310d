package import AloftDomain
import Crypto
import Foundation

/// A folder as one tar file, the same bytes for the same content: names in order, no times, no owners.
package struct FolderSnapshot: Sendable {
    /// The tar file, which the caller removes.
    package let path: String
    package let digest: ContentDigest
    package let sizeBytes: Int64
    /// How many files and links it holds.
    package let fileCount: Int

    package enum Failure: Refusal, Equatable {
        case unreadable(path: String, reason: String)
        case linkOutside(path: String, target: String)
        case tooLarge(sizeBytes: Int64, limitBytes: Int64, largest: String)

        package var code: String {
            switch self {
            case .unreadable: "snapshot_unreadable"
            case .linkOutside: "snapshot_link_outside"
            case .tooLarge: "snapshot_too_large"
            }
        }

        package var kind: RefusalKind { .invalid }

        package var message: String {
            switch self {
            case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
            case .linkOutside(let path, let target):
                "\(path) links to \(target), outside of the project's folder; a job would not find "
                    + "it. Copy it, or name it in .aloftignore."
            case .tooLarge(let size, let limit, let largest):
                "the project's folder has more than \(limit >> 20) MiB (\(size >> 20) MiB up to "
                    + "\(largest)). Name what jobs do not need in .aloftignore."
            }
        }
    }

    /// Packs `folder` without what `.gitignore` and `.aloftignore` files name; where both speak, the
    /// latter decides.
    ///
    /// - Throws: `Failure`.
    package static func pack(
        folder: String, to path: String, limitBytes: Int64 = 1 << 30
    ) throws -> FolderSnapshot {
        var packer = try SnapshotPacker(root: folder, path: path, limitBytes: limitBytes)
        try packer.add(folder: [], rules: IgnoreRules())
        return try packer.finish()
    }

    /// Whether `pack` would take this file of the folder, by the names that its ignore files give.
    ///
    /// - Parameter name: relative to the folder.
    package static func includes(_ name: String, of folder: String) -> Bool {
        let parts = name.pieces(at: "/").map(String.init)
        var rules = IgnoreRules()
        for depth in parts.indices {
            let base = Array(parts[..<depth])
            rules.addFiles(of: base, in: folder)
            let isFolder = depth < parts.count - 1
            if rules.excludes(base + [parts[depth]], isFolder: isFolder) { return false }
        }
        return !parts.isEmpty
    }

    init(path: String, digest: ContentDigest, sizeBytes: Int64, fileCount: Int) {
        self.path = path
        self.digest = digest
        self.sizeBytes = sizeBytes
        self.fileCount = fileCount
    }
}

private struct SnapshotPacker {
    private let root: String
    private let path: String
    private let limitBytes: Int64
    private let output: FileHandle
    private var hash = SHA256()
    private var sizeBytes: Int64 = 0
    private var fileCount = 0

    init(root: String, path: String, limitBytes: Int64) throws {
        self.root = root
        self.path = path
        self.limitBytes = limitBytes
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let output = FileHandle(forWritingAtPath: path)
        else { throw FolderSnapshot.Failure.unreadable(path: path, reason: "cannot write it") }
        self.output = output
    }

    mutating func add(folder: [String], rules: IgnoreRules) throws {
        var rules = rules
        rules.addFiles(of: folder, in: root)
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: place(folder))
        } catch {
            throw FolderSnapshot.Failure.unreadable(
                path: place(folder), reason: error.localizedDescription)
        }
        for name in names.sorted(by: { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }) {
            try add(folder + [name], rules: rules)
        }
    }

    private mutating func add(_ path: [String], rules: IgnoreRules) throws {
        var status = stat()
        guard lstat(place(path), &status) == 0 else {
            throw FolderSnapshot.Failure.unreadable(
                path: place(path), reason: String(cString: strerror(errno)))
        }
        let kind = status.st_mode & S_IFMT
        guard !rules.excludes(path, isFolder: kind == S_IFDIR) else { return }
        let name = path.joined(separator: "/")
        let mode = status.st_mode & 0o100 == 0 ? 0o644 : 0o755
        switch kind {
        case S_IFDIR:
            try write(TarHeader.make(name: name + "/", mode: 0o755, type: "5"))
            try add(folder: path, rules: rules)
        case S_IFLNK: try addLink(path, name: name)
        case S_IFREG: try addFile(path, name: name, mode: mode, size: Int64(status.st_size))
        default: break  // sockets, pipes and devices are no code
        }
    }

    private mutating func addLink(_ path: [String], name: String) throws {
        let target = try FileManager.default.destinationOfSymbolicLink(atPath: place(path))
        var depth = path.count - 1
        for part in target.split(separator: "/") where part != "." {
            depth += part == ".." ? -1 : 1
            if depth < 0 { break }
        }
        guard !target.hasPrefix("/"), depth >= 0 else {
            throw FolderSnapshot.Failure.linkOutside(path: name, target: target)
        }
        try write(TarHeader.make(name: name, mode: 0o777, type: "2", link: target))
        fileCount += 1
    }

    private mutating func addFile(_ path: [String], name: String, mode: Int, size: Int64) throws {
        guard let input = FileHandle(forReadingAtPath: place(path)) else {
            throw FolderSnapshot.Failure.unreadable(
                path: name, reason: String(cString: strerror(errno)))
        }
        defer { try? input.close() }
        guard sizeBytes + size <= limitBytes else {
            throw FolderSnapshot.Failure.tooLarge(
                sizeBytes: sizeBytes + size, limitBytes: limitBytes, largest: name)
        }
        try write(TarHeader.make(name: name, mode: mode, type: "0", size: size))
        var left = size
        while left > 0 {
            guard let data = try input.read(upToCount: Int(min(left, 1 << 20))), !data.isEmpty
            else {
                throw FolderSnapshot.Failure.unreadable(
                    path: name, reason: "it became shorter while it was read")
            }
            try write(data)
            left -= Int64(data.count)
        }
        try write(Data(count: Int((512 - size % 512) % 512)))
        fileCount += 1
    }

    mutating func finish() throws -> FolderSnapshot {
        try write(Data(count: 1024))
        try output.close()
        return FolderSnapshot(
            path: path, digest: ContentDigest(bytes: hash.finalize()), sizeBytes: sizeBytes,
            fileCount: fileCount)
    }

    private mutating func write(_ data: Data) throws {
        try output.write(contentsOf: data)
        hash.update(data: data)
        sizeBytes += Int64(data.count)
    }

    private func place(_ path: [String]) -> String { ([root] + path).joined(separator: "/") }
}

/// Headers of the POSIX ustar format; a name that does not fit goes into a pax header before.
enum TarHeader {
    static func make(
        name: String, mode: Int, type: Character, size: Int64 = 0, link: String = ""
    ) -> Data {
        var records = ""
        if name.utf8.count > 100 { records += paxRecord("path", name) }
        if link.utf8.count > 100 { records += paxRecord("linkpath", link) }
        if size > 0o77777777777 { records += paxRecord("size", String(size)) }
        let header = block(name: name, mode: mode, type: type, size: size, link: link)
        guard !records.isEmpty else { return header }
        let data = Data(records.utf8)
        return block(name: "pax", mode: 0o644, type: "x", size: Int64(data.count), link: "") + data
            + Data(count: (512 - data.count % 512) % 512) + header
    }

    /// `LENGTH key=value\n`, where the length counts itself.
    private static func paxRecord(_ key: String, _ value: String) -> String {
        let rest = " \(key)=\(value)\n"
        var length = rest.utf8.count
        while length != rest.utf8.count + String(length).utf8.count {
            length = rest.utf8.count + String(length).utf8.count
        }
        return "\(length)\(rest)"
    }

    private static func block(
        name: String, mode: Int, type: Character, size: Int64, link: String
    ) -> Data {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at place: Int, room: Int) {
            for (index, byte) in text.utf8.prefix(room).enumerated() { block[place + index] = byte }
        }
        func octal(_ number: Int64, digits: Int) -> String {
            let text = String(min(number, (1 << (3 * Int64(digits))) - 1), radix: 8)
            return String(repeating: "0", count: digits - text.count) + text
        }
        put(name, at: 0, room: 100)
        put(octal(Int64(mode), digits: 7), at: 100, room: 7)
        put(octal(0, digits: 7), at: 108, room: 7)
        put(octal(0, digits: 7), at: 116, room: 7)
        put(octal(size, digits: 11), at: 124, room: 11)
        put(octal(0, digits: 11), at: 136, room: 11)
        put("        ", at: 148, room: 8)
        put(String(type), at: 156, room: 1)
        put(link, at: 157, room: 100)
        put("ustar", at: 257, room: 5)
        put("00", at: 263, room: 2)
        let sum = block.reduce(0) { $0 + Int64($1) }
        put(octal(sum, digits: 6), at: 148, room: 6)
        block[154] = 0
        return Data(block)
    }
}
