import AloftDomain
import AloftWire
import Foundation

/// Reads the files of a folder `mlruns`, by paths below it. Somebody else may have packed it: no link
/// in it is followed, neither a file nor a folder, so that nothing else of this machine is read.
struct RunsTree: Sendable {
    let folder: ConfinedFolder
    /// Where links are told of that are not followed.
    let faults: TransferFaults

    var root: String { ([folder.root] + folder.components).joined(separator: "/") }

    /// The largest file that is read at once: a `meta.yaml`, a param, a tag.
    private static let mostBytes = 16 << 20
    /// Of a file of points, so much at a time.
    private static let chunkBytes = 1 << 20

    func path(_ below: String) -> String { below.isEmpty ? root : root + "/" + below }

    /// The folders of experiments, by name.
    var experiments: [String] {
        folders(in: "", but: ["models", ".trash"]).filter { isFile($0 + "/meta.yaml") }
    }

    func folders(in below: String, but left: [String] = []) -> [String] {
        names(below).filter { name in
            guard !left.contains(where: { $0.isSame(as: name) }) else { return false }
            return plainKind(join(below, name)) == S_IFDIR
        }
    }

    /// The files below a folder, with slashes where a name had some.
    func files(in below: String) throws -> [String] {
        var found: [String] = []
        var open = [""]
        while let folder = open.popLast() {
            for name in names(join(below, folder)) {
                let full = join(folder, name)
                let kind = plainKind(join(below, full))
                if kind == S_IFDIR {
                    guard full.pieces(at: "/").count < 50 else {
                        throw SourceError("\(path(below)) is nested too deep", isRefusal: true)
                    }
                    open.append(full)
                } else if kind == S_IFREG {
                    found.append(full)
                }
            }
        }
        return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The files of a folder with what they hold.
    func texts(_ below: String) throws -> [NamedText] {
        try files(in: below).map { name in
            NamedText(key: name, value: try text(join(below, name)))
        }
    }

    func meta(_ below: String) throws -> MetaFile {
        let file = join(below, "meta.yaml")
        return try MetaFile(text(file), path: path(file))
    }

    func isFolder(_ below: String) -> Bool { kind(below) == S_IFDIR }

    /// Whether a folder holds nothing.
    func isEmpty(_ folder: String) -> Bool {
        (try? FileManager.default.contentsOfDirectory(atPath: path(folder)).isEmpty) ?? false
    }

    func isFile(_ below: String) -> Bool { kind(below) == S_IFREG }

    private func kind(_ below: String) -> mode_t {
        ((try? status(below))?.st_mode ?? 0) & S_IFMT
    }

    /// The kind of what a folder holds; what is neither a file nor a folder is told of.
    private func plainKind(_ below: String) -> mode_t {
        let kind = kind(below)
        switch kind {
        case S_IFREG, S_IFDIR: break
        case S_IFLNK: tellOfLink(path(below))
        case 0: faults.note(path(below), "it is gone, or its name is no UTF-8")
        default: faults.note(path(below), "it is neither a file nor a folder")
        }
        return kind
    }

    /// What stands at a path, a link as such.
    private func status(_ below: String) throws -> stat {
        var status = stat()
        let parts = Self.parts(below)
        guard let name = parts.last else { throw SourceError("\(root) has no name") }
        do {
            guard let parent = try folder.open(folder: parts.dropLast()),
                fstatat(parent.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0
            else { throw FileTree.fault(path(below)) }
        } catch let refused as ConfinedFolder.Refused {
            throw SourceError(
                "\(refused.path) is a link, or no folder; links are not followed", isRefusal: true)
        }
        return status
    }

    private static func parts(_ below: String) -> [String] {
        below.pieces(at: "/").map(String.init)
    }

    /// What a folder holds; nothing where it is none, or a link stands for it.
    private func names(_ below: String) -> [String] {
        do {
            guard let opened = try folder.open(folder: Self.parts(below)) else { return [] }
            return try FolderReader.names(in: opened, path: path(below))
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        } catch let refused as ConfinedFolder.Refused {
            if refused.isLink { tellOfLink(refused.path) }
        } catch {
            faults.note(path(below), error)
        }
        return []
    }

    private func tellOfLink(_ path: String) {
        faults.note(path, "it is a link; links are not followed")
    }

    private func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty ? name : folder + "/" + name
    }

    private func text(_ below: String) throws -> String {
        let data = try read(below, from: 0, atMost: Self.mostBytes + 1)
        guard data.count <= Self.mostBytes else {
            throw SourceError("\(path(below)) is larger than 16 MiB", isRefusal: true)
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw SourceError("\(path(below)) is no UTF-8", isRefusal: true)
        }
        return text
    }

    private func read(_ below: String, from offset: Int64, atMost count: Int) throws -> Data {
        let file = try folder.open(file: below)
        var data = Data(count: count)
        let length = try data.withUnsafeMutableBytes { bytes in
            var filled = 0
            while filled < count {
                let got = pread(
                    file.number, bytes.baseAddress?.advanced(by: filled), count - filled,
                    off_t(offset) + off_t(filled))
                if got < 0, errno == EINTR { continue }
                guard got >= 0 else { throw FileTree.fault(path(below)) }
                guard got > 0 else { break }
                filled += got
            }
            return filled
        }
        return data.prefix(length)
    }

    // MARK: Points

    /// Points from a byte on, and the byte after them; `nil` at the file's end.
    func points(
        _ below: String, from offset: Int64, atMost count: Int
    ) throws -> (points: [MetricPoint], next: Int64?) {
        let data = try read(below, from: offset, atMost: Self.chunkBytes)
        var points: [MetricPoint] = []
        var start = data.startIndex
        while start < data.endIndex, points.count < count {
            guard let end = data[start...].firstIndex(of: 0x0A) else {
                // A last line without an end; elsewhere it goes on in what is read next.
                guard data.count < Self.chunkBytes || start == data.startIndex else { break }
                if let point = try point(data[start...], below) { points.append(point.value) }
                start = data.endIndex
                break
            }
            if let point = try point(data[start..<end], below) { points.append(point.value) }
            start = end + 1
        }
        let read = start - data.startIndex
        let isEnd = start == data.endIndex && data.count < Self.chunkBytes
        return (points, isEnd ? nil : offset + Int64(read))
    }

    /// The last line's point.
    func lastPoint(_ below: String) throws -> MetricPoint {
        let size = Int64(try status(below).st_size)
        let data = try read(below, from: max(0, size - 4096), atMost: 4096)
        let lines = data.split(separator: 0x0A)  // text: bytes
        guard let last = lines.last, let point = try point(last, below) else {
            throw SourceError("\(path(below)) holds no points", isRefusal: true)
        }
        return point.value
    }

    func modelPoints(_ below: String, key: String) throws -> [TransferLoggedModel.Metric] {
        let text = try text(below)
        return try text.pieces(at: "\n").compactMap { line in
            guard let point = try point(Data(line.utf8), below) else { return nil }
            return TransferLoggedModel.Metric(
                key: key, value: point.value.value, timestamp: point.value.timestamp,
                step: point.value.step, run: RunID(point.rest.last ?? ""),
                datasetName: point.rest.count >= 2 ? point.rest[0] : nil,
                datasetDigest: point.rest.count >= 2 ? point.rest[1] : nil)
        }
    }

    /// `TIMESTAMP VALUE [STEP [DATASET DIGEST]]`; `nil` for an empty line.
    private func point(
        _ line: Data, _ below: String
    ) throws -> (value: MetricPoint, rest: [String])? {
        let words = String(decoding: line, as: UTF8.self).pieces(atAnyOf: " \r\t".unicodeScalars)
        guard !words.isEmpty else { return nil }
        guard words.count >= 2, let timestamp = Int64(words[0]), let value = Double(words[1]),
            let step = words.count > 2 ? Int64(words[2]) : 0
        else {
            throw SourceError(
                "\(path(below)) holds the line '\(words.joined(separator: " ").prefix(100))', which is "
                    + "no point", isRefusal: true)
        }
        return (
            MetricPoint(value: value, timestamp: timestamp, step: step),
            words.dropFirst(3).map(String.init)
        )
    }
}
