import AloftArtifacts
import AloftDomain
import Foundation

/// What one generation of a backup holds: lines of JSON, the last of which has the digest of all before
/// it, so that half a manifest is never taken for a whole one.
package struct BackupManifest: Sendable, Equatable {
    package struct Head: Codable, Sendable, Equatable {
        package var format = 1
        /// RFC 3339.
        package var madeAt: String
        package var program: String
        package var identity: String?
        package var position: Int64
        package var schema: String
    }

    package struct File: Codable, Sendable, Equatable {
        /// In the data folder.
        package var path: String
        package var bytes: Int64
        package var sha256: String
        package var mode: UInt32
        /// Which file it was, so that the next backup need not read it again.
        package var seal: String
    }

    /// A file that could not be taken.
    package struct Fault: Codable, Sendable, Equatable {
        package var path: String
        package var reason: String
    }

    /// Of one file; so many of them that their sum does not fit have no place in a manifest.
    private static let mostBytes: Int64 = 1 << 40

    private struct Tail: Codable {
        var sha256: String
    }

    private enum Line: Codable {
        case head(Head)
        case file(File)
        case fault(Fault)
    }

    package var head: Head
    package var files: [File] = []
    package var faults: [Fault] = []

    package init(head: Head) { self.head = head }

    package var bytes: Int64 { files.reduce(0) { $0 + $1.bytes } }

    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var data = Data()
        let lines = [Line.head(head)] + files.map { .file($0) } + faults.map { .fault($0) }
        for line in lines {
            data.append(try encoder.encode(line))
            data.append(UInt8(ascii: "\n"))
        }
        data.append(try encoder.encode(Tail(sha256: ContentDigest(of: data).hex)))
        data.append(UInt8(ascii: "\n"))
        return data
    }

    /// - Throws: `BackupError.manifestDamaged`.
    init(_ data: Data, path: String) throws {
        let damaged = BackupError.manifestDamaged(path: path)
        guard let end = data.dropLast().lastIndex(of: UInt8(ascii: "\n")) else { throw damaged }
        let body = data.prefix(through: end)
        let decoder = JSONDecoder()
        guard let tail = try? decoder.decode(Tail.self, from: data.suffix(from: end + 1)),
            tail.sha256 == ContentDigest(of: Data(body)).hex
        else { throw damaged }
        var head: Head?
        var files: [File] = []
        var faults: [Fault] = []
        // text: bytes
        for text in body.split(separator: UInt8(ascii: "\n")) {
            switch try? decoder.decode(Line.self, from: Data(text)) {
            case .head(let found): head = found
            case .file(let file):
                guard Self.isSafe(file.path), (0...Self.mostBytes).contains(file.bytes),
                    file.mode & ~0o777 == 0
                else { throw damaged }
                files.append(file)
            case .fault(let fault): faults.append(fault)
            case nil: throw damaged
            }
        }
        guard let head, head.format == 1 else { throw damaged }
        self.head = head
        self.files = files
        self.faults = faults
    }

    /// Below the folder that it is restored to.
    private static func isSafe(_ path: String) -> Bool {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return !parts.isEmpty && !path.utf8.contains(0)
            && parts.allSatisfy { part in
                !part.isEmpty && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8)
            }
    }
}

extension BackupManifest.File {
    /// - Throws: `BackupError.manifestDamaged`.
    func object(in manifest: String) throws -> ObjectPool.Object {
        guard let digest = ContentDigest(hex: sha256) else {
            throw BackupError.manifestDamaged(path: manifest)
        }
        return ObjectPool.Object(digest: digest, sizeBytes: bytes)
    }
}
