import AloftDomain
import Foundation
import NIOCore

/// A folder of this machine that is read without leaving it: each component is opened in the folder
/// before it, and none of them may be a link. What somebody puts in place of a folder meanwhile is
/// refused as well.
struct ConfinedFolder: Sendable {
    /// The folder that the user pointed at; links on the way to it are the user's own.
    let root: String
    /// Below the root, without `.` and `..`.
    let components: [String]
    /// With `--trust-paths`: links to files are read, wherever they lead.
    var followsLinks = false

    /// One component that is no plain folder or file.
    struct Refused: Error {
        let path: String
        let isLink: Bool
    }

    /// `nil` where there is nothing of that name.
    ///
    /// - Throws: `Refused` where a link, or a file, stands in the way; `SourceError`.
    func open(folder below: [String] = []) throws -> Descriptor? {
        var path = root
        let first = Foundation.open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard first >= 0 else {
            if errno == ENOENT { return nil }
            throw FileTree.fault(root)
        }
        var folder = Descriptor(first)
        for component in components + below {
            path += "/" + component
            let next = openat(
                folder.number, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard next >= 0 else {
                if errno == ENOENT { return nil }
                if errno == ELOOP || errno == ENOTDIR {
                    throw Refused(path: path, isLink: Self.isLink(component, in: folder))
                }
                throw FileTree.fault(path)
            }
            folder = Descriptor(next)
        }
        return folder
    }

    private static func isLink(_ name: String, in folder: Descriptor) -> Bool {
        var status = stat()
        return fstatat(folder.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0
            && status.st_mode & S_IFMT == S_IFLNK
    }

    /// A regular file in this folder, open for reading.
    ///
    /// - Throws: `SourceError` where it is gone, or something else stands in its place.
    func open(file path: String) throws -> Descriptor {
        let parts = path.pieces(at: "/").map(String.init)
        let shown = ([root] + components + parts).joined(separator: "/")
        do {
            guard let name = parts.last, let folder = try open(folder: parts.dropLast()) else {
                throw SourceError("\(shown) is gone", isRefusal: true)
            }
            // A pipe that was put there must not hold up the whole.
            let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followsLinks ? 0 : O_NOFOLLOW)
            let number = openat(folder.number, name, flags)
            guard number >= 0 else { throw FileTree.fault(shown) }
            let file = Descriptor(number)
            var status = stat()
            guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                throw SourceError("\(shown) is no plain file", isRefusal: true)
            }
            return file
        } catch let refused as Refused {
            throw SourceError("\(refused.path) is a link, or no folder", isRefusal: true)
        }
    }
}

/// An open file, closed when nobody needs it any more.
final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }
}

/// Files in a folder of this machine.
struct FolderReader: ArtifactReader {
    let folder: ConfinedFolder

    func list() async throws -> ArtifactListing {
        var listing = ArtifactListing(files: [])
        var open: [[String]] = [[]]
        while let below = open.popLast() {
            let opened: Descriptor?
            do {
                opened = try folder.open(folder: below)
            } catch let refused as ConfinedFolder.Refused {
                listing.leftOut.append(Self.linkLeftOut(refused.path))
                continue
            }
            guard let opened else { continue }
            for name in try Self.names(in: opened, path: path(below)) {
                try look(at: name, in: opened, below, &listing, &open)
            }
        }
        listing.files.sort { $0.path < $1.path }
        return listing
    }

    private func path(_ below: [String]) -> String {
        ([folder.root] + folder.components + below).joined(separator: "/")
    }

    private static func linkLeftOut(_ path: String) -> LeftOut {
        LeftOut(path, "it is a link; links are not followed without --trust-paths")
    }

    private func look(
        at name: String, in opened: Descriptor, _ below: [String],
        _ listing: inout ArtifactListing, _ open: inout [[String]]
    ) throws {
        var status = stat()
        let full = below + [name]
        guard fstatat(opened.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            return listing.leftOut.append(
                LeftOut(path(full), "it is gone, or its name is no UTF-8"))
        }
        if status.st_mode & S_IFMT == S_IFLNK {
            guard folder.followsLinks else {
                return listing.leftOut.append(Self.linkLeftOut(path(full)))
            }
            // A link to a folder is not followed: it may lead round in a ring.
            guard fstatat(opened.number, name, &status, 0) == 0,
                status.st_mode & S_IFMT == S_IFREG
            else { return listing.leftOut.append(LeftOut(path(full), "it is a link to no file")) }
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
            guard full.count <= 100 else {
                return listing.leftOut.append(LeftOut(path(full), "it is nested too deep"))
            }
            open.append(full)
        case S_IFREG:
            guard let safe = SafePath.checked(full.joined(separator: "/")) else {
                return listing.leftOut.append(LeftOut(path(full), "its name cannot be kept"))
            }
            listing.files.append(ArtifactFile(path: safe, sizeBytes: Int64(status.st_size)))
        default:
            listing.leftOut.append(LeftOut(path(full), "it is neither a file nor a folder"))
        }
    }

    /// - Throws: `SourceError` where the folder cannot be read.
    static func names(in folder: Descriptor, path: String) throws -> [String] {
        // The stream owns its descriptor and moves its offset: it gets one of its own.
        let own = openat(folder.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard own >= 0 else { throw FileTree.fault(path) }
        guard let stream = fdopendir(own) else {
            close(own)
            throw FileTree.fault(path)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: UInt8.self, capacity: 256) {
                    String(
                        decoding: UnsafeBufferPointer(start: $0, count: strnlen($0, 256)),
                        as: UTF8.self)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    func open(_ file: ArtifactFile) async throws -> ArtifactBody {
        let handle = try folder.open(file: file.path)
        return ArtifactBody { try Self.next(handle) }
    }

    private static func next(_ file: Descriptor) throws -> ByteBuffer? {
        let most = 1 << 20
        var buffer = ByteBuffer()
        let count = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: most) { bytes in
            while true {
                let count = read(file.number, bytes.baseAddress, most)
                if count >= 0 { return count }
                guard errno == EINTR else {
                    throw SourceError("a file cannot be read: \(String(cString: strerror(errno)))")
                }
            }
        }
        return count == 0 ? nil : buffer
    }
}
