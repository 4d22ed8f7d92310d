import Foundation

/// Unpacks tar files that strangers made: files, folders and links that stay inside, and nothing else.
/// Nothing is written through a link, nothing gets a set-user-id bit, and how much may come out is
/// looked at while it comes.
package struct TarUnpacker {
    private static let mostPathBytes = 4096
    private static let bytesBetweenPulses: Int64 = 4 << 20

    private let stream: ArchiveStream
    private let root: Int32
    private let limits: ArchiveLimits
    private let pulse: () throws -> Void
    private var entries = 0
    private var sincePulse: Int64 = 0

    /// - Parameters:
    ///   - folder: exists; what is in it already is replaced where the archive has the same name.
    ///   - pulse: called now and then; what it throws ends the unpacking.
    /// - Throws: `ArchiveFailure`, which names the entry at fault; what came before it stays.
    package static func unpack(
        _ path: String, into folder: String, limits: ArchiveLimits,
        pulse: @escaping () throws -> Void = {}
    ) throws {
        let root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { throw ArchiveFailure.system(folder, errno) }
        defer { close(root) }
        var unpacker = TarUnpacker(
            stream: try ArchiveStream(path: path, limits: limits), root: root, limits: limits,
            pulse: pulse)
        try unpacker.run()
    }

    private init(
        stream: ArchiveStream, root: Int32, limits: ArchiveLimits,
        pulse: @escaping () throws -> Void
    ) {
        self.stream = stream
        self.root = root
        self.limits = limits
        self.pulse = pulse
    }

    private mutating func run() throws {
        var more = TarHeader.Extension()
        while true {
            let start = try stream.next(TarHeader.blockBytes)
            // Some programs leave out the two empty blocks at the end.
            if start.isEmpty { return }
            let block = Array(start) + (try stream.exactly(TarHeader.blockBytes - start.count))
            if TarHeader.isEnd(block) { return }
            if let prefix = TarHeader.prefix(block) {
                let text = try shortContent(TarHeader.size(block))
                switch prefix {
                case .longName: more.name = try TarHeader.text(text)
                case .longLink: more.link = try TarHeader.text(text)
                case .extended: try more.read(text)
                case .global: break
                }
                continue
            }
            let header = try TarHeader(block, more)
            more = TarHeader.Extension()
            entries += 1
            guard entries <= limits.entries else {
                throw ArchiveFailure("it holds more than \(limits.entries) files")
            }
            do { try take(header) } catch let failure as ArchiveFailure {
                throw ArchiveFailure(
                    "\(header.name.prefix(300).debugDescription): \(failure.reason)")
            }
        }
    }

    private func shortContent(_ size: Int64) throws -> [UInt8] {
        guard size <= TarHeader.mostNameBytes else {
            throw ArchiveFailure("one of its names is too long")
        }
        let bytes = try stream.exactly(Int(size))
        _ = try stream.exactly(Int(Self.padding(size)))
        return bytes
    }

    private static func padding(_ size: Int64) -> Int64 {
        let block = Int64(TarHeader.blockBytes)
        return (block - size % block) % block
    }

    private mutating func take(_ header: TarHeader) throws {
        let path = try Self.components(header.name)
        guard let name = path.last else {
            // The folder itself.
            guard header.kind == .folder else { throw ArchiveFailure("it has no name") }
            return
        }
        let parent = try openFolder(path.dropLast())
        defer { close(parent) }
        switch header.kind {
        case .folder: try makeFolder(name, in: parent, mode: header.mode)
        case .file: try write(header, name, in: parent)
        case .symbolicLink(let target):
            try link(name, in: parent, to: target, depth: path.count - 1)
        case .hardLink(let target): try link(name, in: parent, toFile: target)
        case .other(let what):
            throw ArchiveFailure("it is \(what); only files, folders and links are unpacked")
        }
    }

    /// - Throws: `ArchiveFailure` for a path that leads out.
    private static func components(_ path: String) throws -> [String] {
        guard !path.utf8.starts(with: "/".utf8) else {
            throw ArchiveFailure("its path is absolute; it must stay inside of the folder")
        }
        guard path.utf8.count <= mostPathBytes else { throw ArchiveFailure("its path is too long") }
        let parts = path.utf8.split(separator: UInt8(ascii: "/")).map { String($0) ?? "" }
            .filter { $0 != "." }
        guard !parts.contains("..") else {
            throw ArchiveFailure("its path leads out with '..'; it must stay inside of the folder")
        }
        return parts
    }

    // MARK: Making

    /// Opens a folder below the root, and makes what is missing; follows no link.
    private func openFolder(_ path: some Sequence<String>, makes: Bool = true) throws -> Int32 {
        var folder = dup(root)
        guard folder >= 0 else { throw ArchiveFailure.system("the folder", errno) }
        for part in path {
            if makes, mkdirat(folder, part, 0o777) != 0, errno != EEXIST {
                let number = errno
                close(folder)
                throw ArchiveFailure.system("its folder cannot be made", number)
            }
            let next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            let number = errno
            close(folder)
            guard next >= 0 else {
                throw number == ELOOP || number == ENOTDIR
                    ? ArchiveFailure("its path leads through a link or a file")
                    : ArchiveFailure.system("its folder cannot be opened", number)
            }
            folder = next
        }
        return folder
    }

    private func makeFolder(_ name: String, in parent: Int32, mode: UInt32) throws {
        guard mkdirat(parent, name, mode & 0o777 | 0o700) == 0 || errno == EEXIST else {
            throw ArchiveFailure.system("it cannot be made", errno)
        }
        let folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { throw ArchiveFailure("something else has its name already") }
        close(folder)
    }

    /// Makes room for an entry; a folder is never removed.
    private func clear(_ name: String, in parent: Int32) throws {
        guard unlinkat(parent, name, 0) == 0 || errno == ENOENT else {
            throw ArchiveFailure("a folder has its name already")
        }
    }

    private mutating func write(_ header: TarHeader, _ name: String, in parent: Int32) throws {
        try clear(name, in: parent)
        let file = openat(
            parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
            header.mode & 0o777 | 0o600)
        guard file >= 0 else { throw ArchiveFailure.system("it cannot be made", errno) }
        defer { close(file) }
        var left = header.size
        while left > 0 {
            let piece = try stream.next(Int(min(left, 1 << 20)))
            guard !piece.isEmpty else { throw ArchiveFailure("it ends too early") }
            left -= Int64(piece.count)
            try Self.write(piece, to: file)
            sincePulse += Int64(piece.count)
            if sincePulse >= Self.bytesBetweenPulses {
                sincePulse = 0
                try pulse()
            }
        }
        _ = try stream.exactly(Int(Self.padding(header.size)))
    }

    private static func write(_ bytes: ArraySlice<UInt8>, to file: Int32) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBufferPointer {
                Foundation.write(file, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ArchiveFailure.system("it cannot be written", errno) }
            rest = rest.dropFirst(count)
        }
    }

    // MARK: Links

    /// A target goes up, at most to the root, and then down: one that goes down first may go through
    /// another link and come out elsewhere than it seems.
    private func link(_ name: String, in parent: Int32, to target: String, depth: Int) throws {
        let parts = target.utf8.split(separator: UInt8(ascii: "/")).map { String($0) ?? "" }
            .filter { $0 != "." }
        let ups = parts.prefix { $0 == ".." }.count
        guard !target.isEmpty, !target.utf8.starts(with: "/".utf8), ups <= depth,
            !parts.dropFirst(ups).contains("..")
        else {
            throw ArchiveFailure(
                "it links to \(target.prefix(300).debugDescription), which may be outside of the "
                    + "folder")
        }
        try clear(name, in: parent)
        guard symlinkat(target, parent, name) == 0 else {
            throw ArchiveFailure.system("the link cannot be made", errno)
        }
    }

    private func link(_ name: String, in parent: Int32, toFile target: String) throws {
        let path = try Self.components(target)
        guard let last = path.last else { throw ArchiveFailure("it links to nothing") }
        let folder = try openFolder(path.dropLast(), makes: false)
        defer { close(folder) }
        var facts = stat()
        guard fstatat(folder, last, &facts, AT_SYMLINK_NOFOLLOW) == 0,
            facts.st_mode & S_IFMT == S_IFREG
        else { throw ArchiveFailure("it links to a file that was not unpacked before") }
        guard target != name else { return }
        try clear(name, in: parent)
        guard linkat(folder, last, parent, name, 0) == 0 else {
            throw ArchiveFailure.system("the link cannot be made", errno)
        }
    }
}
