import Foundation

/// The folder of the prediction log: segments by number, and the name of the log itself.
struct PredictionLogFolder: Sendable {
    let path: String
    /// New with each folder, so that segments of a log that was removed by hand are not taken for
    /// those of the next, which count from one again.
    let name: String

    /// `log.json`: what must outlast the segments.
    private struct Note: Codable {
        var name: String
        /// Numbers below this were used.
        var next: Int
    }

    /// - Parameter newName: the log's name where the folder is new.
    /// - Throws: `ModelFetchError.unwritable`, or what the file system says.
    init(path: String, newName: () -> String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        self.path = path
        if let note = Self.note(in: path) {
            name = note.name
        } else {
            name = newName()
            try DiskSync.write(
                try JSONEncoder().encode(Note(name: name, next: 1)), to: Self.notePath(path))
        }
    }

    private static func notePath(_ path: String) -> String { path + "/log.json" }

    private static func note(in path: String) -> Note? {
        (try? Data(contentsOf: URL(fileURLWithPath: notePath(path)))).flatMap {
            try? JSONDecoder().decode(Note.self, from: $0)
        }
    }

    var nextNumber: Int {
        max((segments().last?.number ?? 0) + 1, Self.note(in: path)?.next ?? 1)
    }

    /// Oldest first.
    func segments() -> [(number: Int, bytes: Int)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.compactMap { name -> (number: Int, bytes: Int)? in
            // text: our own files
            guard name.hasSuffix(".alog"), let number = Int(name.dropLast(5)), number >= 0 else {
                return nil
            }
            let size =
                (try? FileManager.default.attributesOfItem(atPath: path + "/" + name))?[.size]
                as? Int
            return (number, size ?? 0)
        }.sorted { $0.number < $1.number }
    }

    func path(of number: Int) -> String {
        let digits = String(number)
        return path + "/" + String(repeating: "0", count: max(0, 10 - digits.count)) + digits
            + ".alog"
    }

    /// A new segment, locked for as long as it is open; `nil` where the number is or was taken.
    ///
    /// Another process of the same gateway may have written a segment of this number and sent it on
    /// meanwhile. A second one would be taken for the first, and what it begins with would be lost.
    func create(_ number: Int) throws -> FileHandle? {
        let path = path(of: number)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            if errno == EEXIST { return nil }
            throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        // Between the two calls somebody may have taken it for one that is whole.
        guard flock(descriptor, LOCK_EX) == 0, fstat(descriptor, &status) == 0,
            status.st_nlink > 0
        else {
            try file.close()
            return nil
        }
        // Numbers are noted before their segments go, so one that was used is seen here.
        if let used = Self.note(in: self.path)?.next, number < used {
            unlink(path)
            try file.close()
            return nil
        }
        return file
    }

    /// Removes a segment that nobody writes and that is no longer than `bytes`. Its number is not
    /// used again.
    ///
    /// - Returns: whether it is gone.
    func remove(_ number: Int, ifNoLongerThan bytes: Int) throws -> Bool {
        let path = path(of: number)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        var status = stat()
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &status) == 0,
            Int(clamping: status.st_size) <= bytes
        else { return false }
        let note = Note(name: name, next: max(number + 1, Self.note(in: self.path)?.next ?? 1))
        try DiskSync.write(try JSONEncoder().encode(note), to: Self.notePath(self.path))
        return unlink(path) == 0
    }

    /// Whether somebody writes it.
    func isOpen(_ number: Int) -> Bool {
        let descriptor = open(path(of: number), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0
    }
}
