import AloftProcess
import Foundation

/// Archives that strangers made, as a file; what comes out must stay in its folder.
enum ArchiveReaders {
    static let all = [
        Reader(
            name: "archive", good: archives,
            words: [
                "../", "/etc", "ustar\u{0}00", "11 path=a\n", "0000644\u{0}", "\u{0}\u{0}", "a/",
            ],
            read: { _, bytes in try unpack(bytes) })
    ]

    private struct LedOut: Error {}

    private static func unpack(_ bytes: UnsafeRawBufferPointer) throws {
        let base = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : "/tmp"
        let folder = "\(base)/fuzz-archive-\(getpid())"
        let target = folder + "/out"
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let archive = folder + "/archive"
        try Data(bytes).write(to: URL(fileURLWithPath: archive))
        var limits = ArchiveLimits(bytes: 8 << 20, entries: 1000)
        limits.freeBytes = 1 << 20
        let result = Result { try TarUnpacker.unpack(archive, into: target, limits: limits) }
        let beside = try FileManager.default.contentsOfDirectory(atPath: folder)
        guard Set(beside) == ["archive", "out"] else { fatalError("an archive led out: \(beside)") }
        try result.get()
    }

    /// One entry as a tar program writes it.
    private static func entry(
        _ name: String, _ data: String = "", kind: UInt8 = 0x30, link: String = ""
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at place: Int) {
            for (index, byte) in text.utf8.enumerated() where place + index < block.count {
                block[place + index] = byte
            }
        }
        put(name, at: 0)
        put("0000644", at: 100)
        let size = String(data.utf8.count, radix: 8)
        put(String(repeating: "0", count: 11 - size.utf8.count) + size, at: 124)
        put("        ", at: 148)
        block[156] = kind
        put(link, at: 157)
        put("ustar\u{0}00", at: 257)
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        put(String(repeating: "0", count: 6 - sum.utf8.count) + sum + "\u{0} ", at: 148)
        let padding = (512 - data.utf8.count % 512) % 512
        return block + data.body + [UInt8](repeating: 0, count: padding)
    }

    /// 64 KiB of zeros by gzip.
    static let zeros = [UInt8](
        Data(
            base64Encoded: "H4sIAAAAAAACA+3BAQEAAACAkP6v7ggK" + String(repeating: "A", count: 84)
                + "auuOl9cAAAEA") ?? Data())

    private static let end = [UInt8](repeating: 0, count: 1024)
    private static let directory = UInt8(ascii: "5")
    private static let symbolicLink = UInt8(ascii: "2")
    private static let hardLink = UInt8(ascii: "1")
    private static let extended = UInt8(ascii: "x")

    private static let archives: [[UInt8]] = [
        entry("code", kind: directory) + entry("code/run.sh", "#!/bin/sh\n") + end,
        entry("a", "x") + entry("l", kind: symbolicLink, link: "a")
            + entry("h", kind: hardLink, link: "a") + end,
        entry("p", "11 path=ab\n", kind: extended) + entry("b", "x") + end,
        entry("l", kind: symbolicLink, link: "../..") + entry("l/evil", "x") + end,
        zeros,
    ]
}
