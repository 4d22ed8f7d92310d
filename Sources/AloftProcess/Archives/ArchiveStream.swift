import CInflate
import Foundation

enum SystemText {
    static func of(_ number: Int32) -> String { String(cString: strerror(number)) }
}

/// The bytes of a tar file, plain or through gzip, one after the other and never more than may come.
final class ArchiveStream {
    private static let pieceBytes = 256 << 10

    private let file: Int32
    private let inflater: OpaquePointer?
    private var packed = [UInt8](repeating: 0, count: ArchiveStream.pieceBytes)
    private var packedRange = 0..<0
    private var plain = [UInt8](repeating: 0, count: ArchiveStream.pieceBytes)
    private var plainRange = 0..<0
    private var isAtEnd = false
    /// Whether the compressed data must go on: the end of the file is no end of a stream of gzip.
    private var isWithinStream = true
    private var left: Int64
    private let most: Int64
    private let compressedBytes: Int64

    init(path: String, limits: ArchiveLimits) throws {
        file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw ArchiveFailure.system("it cannot be opened", errno) }
        var facts = stat()
        guard fstat(file, &facts) == 0 else {
            let number = errno
            close(file)
            throw ArchiveFailure.system("it cannot be read", number)
        }
        var magic = [UInt8](repeating: 0, count: 6)
        let count = pread(file, &magic, magic.count, 0)
        let isGzip = count >= 2 && magic.starts(with: [0x1F, 0x8B])
        if let other = Self.otherCompression(magic) {
            close(file)
            throw ArchiveFailure(
                "it is compressed with \(other); only plain tar files and gzip are unpacked")
        }
        compressedBytes = Int64(facts.st_size)
        most = isGzip ? limits.most(compressedBytes: compressedBytes) : limits.bytes
        left = most
        inflater = isGzip ? aloft_inflater_open() : nil
        // The file is closed by `deinit` from here on.
        if isGzip, inflater == nil {
            throw ArchiveFailure("there is no memory to decompress it")
        }
    }

    deinit {
        close(file)
        aloft_inflater_close(inflater)
    }

    private static func otherCompression(_ magic: [UInt8]) -> String? {
        let known: [(String, [UInt8])] = [
            ("zstd", [0x28, 0xB5, 0x2F, 0xFD]), ("xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A]),
            ("bzip2", [0x42, 0x5A, 0x68]), ("compress", [0x1F, 0x9D]),
            ("lzip", [0x4C, 0x5A, 0x49, 0x50]),
        ]
        return known.first { magic.starts(with: $0.1) }?.0
    }

    /// The next bytes, as many as there are at hand and at most `count`; none at the end.
    func next(_ count: Int) throws -> ArraySlice<UInt8> {
        if plainRange.isEmpty { try fill() }
        let end = min(plainRange.lowerBound + count, plainRange.upperBound)
        defer { plainRange = end..<plainRange.upperBound }
        return plain[plainRange.lowerBound..<end]
    }

    /// - Throws: `ArchiveFailure` where it ends before.
    func exactly(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let piece = try next(count - bytes.count)
            guard !piece.isEmpty else { throw ArchiveFailure("it ends too early") }
            bytes += piece
        }
        return bytes
    }

    private func fill() throws {
        plainRange = 0..<0
        while plainRange.isEmpty, !isAtEnd {
            if let inflater { try inflate(with: inflater) } else { try readPlain() }
        }
        left -= Int64(plainRange.count)
        guard left >= 0 else { throw tooLarge }
    }

    private var tooLarge: ArchiveFailure {
        inflater == nil
            ? ArchiveFailure("it is larger than \(most >> 20) MiB")
            : ArchiveFailure(
                "its \(compressedBytes >> 10) KiB unpack to more than \(most >> 20) MiB, which is as "
                    + "much as may come out of them")
    }

    private func readPlain() throws {
        let count = try Self.read(file, &plain)
        isAtEnd = count == 0
        plainRange = 0..<count
    }

    private func inflate(with inflater: OpaquePointer) throws {
        if packedRange.isEmpty {
            packedRange = 0..<(try Self.read(file, &packed))
            if packedRange.isEmpty {
                guard !isWithinStream else {
                    throw ArchiveFailure("it is damaged: its compression ends too early")
                }
                isAtEnd = true
                return
            }
        }
        var taken = 0
        var given = 0
        let room = plain.count
        let status = packed[packedRange].withUnsafeBufferPointer { input in
            plain.withUnsafeMutableBufferPointer { output in
                aloft_inflater_step(
                    inflater, input.baseAddress, input.count, &taken, output.baseAddress, room,
                    &given)
            }
        }
        guard status >= 0, status == 0 || taken + given > 0 else {
            throw ArchiveFailure("its compression is damaged")
        }
        isWithinStream = status != 0
        packedRange = (packedRange.lowerBound + taken)..<packedRange.upperBound
        plainRange = 0..<given
    }

    private static func read(_ file: Int32, _ buffer: inout [UInt8]) throws -> Int {
        while true {
            let count = Foundation.read(file, &buffer, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw ArchiveFailure.system("it cannot be read", errno) }
        }
    }
}
