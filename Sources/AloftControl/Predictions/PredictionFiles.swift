import AloftDomain
import AloftStore
import Foundation

/// The files of predictions: `DAY/ENDPOINT/NUMBER.alog`, blocks as gateways write them.
struct PredictionFiles: Sendable {
    let folder: String

    func path(day: String, endpoint: String, file: Int64) -> String {
        "\(folder)/\(day)/\(endpoint)/\(file).alog"
    }

    /// Puts these bytes at `place` of a file and makes them durable. What stood behind `place` was
    /// never acknowledged and goes.
    func write(
        _ bytes: Data, to file: PredictionFileRecord, at place: Int64
    ) throws {
        let path = path(day: file.day, endpoint: file.endpoint, file: file.id)
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        if place == 0 {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure(path) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        defer { try? handle.close() }
        try handle.truncate(atOffset: UInt64(place))
        try handle.seek(toOffset: UInt64(place))
        do {
            try handle.write(contentsOf: bytes)
        } catch let error as CocoaError where error.code == .fileWriteOutOfSpace {
            throw StoreError.diskFull
        }
        try handle.synchronize()
        if place == 0 { syncFolder(folder) }
    }

    /// Where the file of a block is, below the folder.
    func name(of block: PredictionBlockRecord) -> String {
        "\(block.day)/\(block.endpoint)/\(block.file).alog"
    }

    /// The records of a block; empty where the file is gone, since retention may have been quicker.
    func read(_ block: PredictionBlockRecord) throws -> Data {
        let path = path(day: block.day, endpoint: block.endpoint, file: block.file)
        guard let handle = FileHandle(forReadingAtPath: path) else { return Data() }
        defer { try? handle.close() }
        try handle.seek(toOffset: UInt64(clamping: block.place))
        return try handle.read(upToCount: Int(block.bytes)) ?? Data()
    }

    func remove(_ file: PredictionFileRecord) throws {
        let path = path(day: file.day, endpoint: file.endpoint, file: file.id)
        if unlink(path) != 0, errno != ENOENT { throw Self.failure(path) }
        // The folders go with their last file; what is not empty stays.
        var folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        for _ in 0..<2 {
            rmdir(folder.path)
            folder.deleteLastPathComponent()
        }
    }

    private func syncFolder(_ path: String) {
        var folder = path
        // The file's name, the endpoint's and the day's may all be new.
        for _ in 0..<3 {
            let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else { return }
            fsync(descriptor)
            close(descriptor)
            folder = URL(fileURLWithPath: folder).deletingLastPathComponent().path
        }
    }

    private static func failure(_ path: String) -> any Error {
        if errno == ENOSPC || errno == EDQUOT { return StoreError.diskFull }
        return POSIXError(
            POSIXErrorCode(rawValue: errno) ?? .EIO, userInfo: [NSFilePathErrorKey: path])
    }
}
