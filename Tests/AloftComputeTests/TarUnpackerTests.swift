import AloftProcess
import AloftTestKit
import Foundation
import Testing

/// Archives that strangers made: what may come out does, and nothing else.
struct TarUnpackerTests {
    /// One entry as an old tar program writes it.
    private func entry(
        _ name: String, _ data: String = "", type: Character = "0", link: String = "",
        mode: Int = 0o644, size: Int? = nil
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at place: Int) {
            for (index, byte) in text.utf8.enumerated() { block[place + index] = byte }
        }
        func octal(_ number: Int, _ digits: Int) -> String {
            let text = String(number, radix: 8)
            return String(repeating: "0", count: digits - text.count) + text
        }
        put(name, at: 0)
        put(octal(mode, 7), at: 100)
        put(octal(size ?? data.utf8.count, 11), at: 124)
        put("        ", at: 148)
        put(String(type), at: 156)
        put(link, at: 157)
        put("ustar\u{0}00", at: 257)
        put(octal(block.reduce(0) { $0 + Int($1) }, 6) + "\u{0} ", at: 148)
        let padding = (512 - data.utf8.count % 512) % 512
        return block + Array(data.utf8) + [UInt8](repeating: 0, count: padding)
    }

    private let end = [UInt8](repeating: 0, count: 1024)

    private func unpack(
        _ bytes: [UInt8], limits: ArchiveLimits = ArchiveLimits(bytes: 1 << 30),
        check: (String) throws -> Void = { _ in }
    ) throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/archive"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let target = folder.path + "/out"
        try FileManager.default.createDirectory(
            atPath: target, withIntermediateDirectories: false)
        defer { withExtendedLifetime(folder) {} }
        try TarUnpacker.unpack(path, into: target, limits: limits)
        try check(target)
    }

    private func reason(_ bytes: [UInt8], limits: ArchiveLimits = .init(bytes: 1 << 30)) -> String {
        do { try unpack(bytes, limits: limits) } catch let failure as ArchiveFailure {
            return failure.reason
        } catch { return "\(error)" }
        return ""
    }

    @Test func `files, folders and links that stay inside come out, without special bits`() throws {
        let archive =
            entry("code", type: "5", mode: 0o777)
            + entry("code/run.sh", "#!/bin/sh\n", mode: 0o6755)
            + entry("code/empty") + entry("code/same", type: "1", link: "code/run.sh")
            + entry("code/up", type: "2", link: "../top") + entry("top", "1")
            + entry("deep/er/file", "2") + entry("top", "again") + end
        try unpack(archive) { folder in
            let up = try String(contentsOfFile: folder + "/code/up", encoding: .utf8)
            let deep = try String(contentsOfFile: folder + "/deep/er/file", encoding: .utf8)
            #expect(up == "again" && deep == "2")
            let facts = try FileManager.default.attributesOfItem(atPath: folder + "/code/same")
            let mode = try #require(facts[.posixPermissions] as? NSNumber).intValue
            #expect(mode & 0o7000 == 0 && mode & 0o100 != 0)
            #expect((facts[.referenceCount] as? NSNumber)?.intValue == 2)
        }
        try unpack(Array(archive.dropLast(1024)))
    }

    @Test func `names longer than a header are read from the headers before`() throws {
        let long = String(repeating: "a/", count: 80) + "file"
        let record = "path=\(long)\n"
        let pax = "\(record.utf8.count + 4) \(record)"
        try unpack(
            entry("././@LongLink", long + "\u{0}", type: "L") + entry("short", "x") + end
        ) { #expect(FileManager.default.fileExists(atPath: $0 + "/" + long)) }
        try unpack(entry("pax", pax, type: "x") + entry("short", "x") + end) {
            #expect(FileManager.default.fileExists(atPath: $0 + "/" + long))
        }
    }

    @Test func `nothing is written outside, whatever it is called or linked to`() throws {
        #expect(reason(entry("/tmp/x", "x") + end).contains("absolute"))
        #expect(reason(entry("a/../../x", "x") + end).contains("'..'"))
        #expect(reason(entry("l", type: "2", link: "/etc") + end).contains("outside"))
        #expect(reason(entry("l", type: "2", link: "../x") + end).contains("outside"))
        #expect(reason(entry("d/l", type: "2", link: "../../x") + end).contains("outside"))
        // Through another link this would come out above.
        #expect(reason(entry("d/l", type: "2", link: "a/../../x") + end).contains("outside"))
        let through = entry("d", type: "5") + entry("l", type: "2", link: "d")
        #expect(reason(through + entry("l/x", "x") + end).contains("through a link"))
        #expect(reason(entry("h", type: "1", link: "../secret") + end).contains("'..'"))
        #expect(reason(entry("h", type: "1", link: "none") + end).contains("not unpacked before"))
        #expect(reason(through + entry("h", type: "1", link: "l") + end).contains("not unpacked"))
    }

    @Test(
        arguments: [("3", "a device"), ("4", "a device"), ("6", "a pipe"), ("S", "a sparse file")]
            as [(Character, String)])
    func `what is no file, folder or link is refused by name`(_ one: (Character, String)) {
        let text = reason(entry("special", type: one.0) + end)
        #expect(text.contains(one.1) && text.contains("special"))
    }

    @Test func `damaged archives and other compressions are refused`() {
        var broken = entry("a", "x") + end
        broken[0] = 98
        #expect(reason(broken).contains("damaged"))
        #expect(reason(entry("a", "xx", size: 99999)).contains("too early"))
        #expect(reason(Array("hello".utf8)).contains("too early"))
        #expect(reason([0x28, 0xB5, 0x2F, 0xFD, 0, 0]).contains("zstd"))
        #expect(reason([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 9, 9, 9, 9]).contains("damaged"))
    }

    @Test func `no more comes out than may, and that is seen while it comes`() throws {
        let many = (0..<20).flatMap { entry("f\($0)") }
        #expect(reason(many + end, limits: .init(bytes: 1 << 20, entries: 19)).contains("19 files"))
        #expect(reason(many + end, limits: .init(bytes: 5000)).contains("larger than"))

        // 10 MiB of zeros in some 10 KiB.
        let folder = try TemporaryFolder()
        let zeros = folder.path + "/zeros"
        #expect(FileManager.default.createFile(atPath: zeros, contents: nil))
        #expect(truncate(zeros, 10 << 20) == 0)
        let packed = folder.path + "/zeros.tar.gz"
        let status = try Spawn(
            executable: "/bin/tar", arguments: ["-czf", packed, "-C", folder.path, "zeros"],
            variables: ["PATH": "/usr/bin:/bin"]
        ).run()
        #expect(status == 0)
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: packed)))
        try unpack(bytes) { out in
            let facts = try FileManager.default.attributesOfItem(atPath: out + "/zeros")
            #expect((facts[.size] as? NSNumber)?.intValue == 10 << 20)
        }
        var tight = ArchiveLimits(bytes: 1 << 30)
        tight.freeBytes = 1 << 20
        let text = reason(bytes, limits: tight)
        #expect(text.contains("KiB unpack to more than") && text.contains("zeros"))
    }
}
