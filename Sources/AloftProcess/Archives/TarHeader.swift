/// One entry of a tar file, as its header and those before it say.
struct TarHeader: Equatable {
    enum Kind: Equatable {
        case file, folder
        case symbolicLink(String)
        case hardLink(String)
        /// What is never made: devices, pipes, sparse files.
        case other(String)
    }

    static let blockBytes = 512
    /// Of a header that only holds a longer name.
    static let mostNameBytes = 64 << 10

    var name: String
    var kind: Kind
    var mode: UInt32
    var size: Int64

    /// What further headers say of the next entry.
    struct Extension {
        var name: String?
        var link: String?
        var size: Int64?
        var isSparse = false
    }

    /// The kinds of headers that only say something of the next, by their type.
    enum Prefix { case longName, longLink, extended, global }

    static func prefix(_ block: [UInt8]) -> Prefix? {
        switch block[156] {
        case UInt8(ascii: "L"): .longName
        case UInt8(ascii: "K"): .longLink
        case UInt8(ascii: "x"): .extended
        case UInt8(ascii: "g"): .global
        default: nil
        }
    }

    static func isEnd(_ block: [UInt8]) -> Bool { block.allSatisfy { $0 == 0 } }

    /// - Throws: `ArchiveFailure` if this is no header.
    init(_ block: [UInt8], _ more: Extension) throws {
        try Self.check(block)
        name = try more.name ?? Self.name(block)
        mode = UInt32(truncatingIfNeeded: try Self.number(block[100..<108]) & 0o7777)
        let link = try more.link ?? Self.text(block[157..<257])
        switch block[156] {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
            kind =
                more.isSparse
                ? .other("a sparse file") : name.utf8.last == UInt8(ascii: "/") ? .folder : .file
        case UInt8(ascii: "1"): kind = .hardLink(link)
        case UInt8(ascii: "2"): kind = .symbolicLink(link)
        case UInt8(ascii: "3"), UInt8(ascii: "4"): kind = .other("a device")
        case UInt8(ascii: "5"): kind = .folder
        case UInt8(ascii: "6"): kind = .other("a pipe")
        case UInt8(ascii: "S"): kind = .other("a sparse file")
        default: kind = .other("of a kind that is not known")
        }
        size = try more.size ?? Self.number(block[124..<136])
    }

    /// How many bytes follow a header.
    static func size(_ block: [UInt8]) throws -> Int64 {
        try check(block)
        return try number(block[124..<136])
    }

    private static func check(_ block: [UInt8]) throws {
        var sum = 0
        for (index, byte) in block.enumerated() {
            sum += (148..<156).contains(index) ? 32 : Int(byte)
        }
        guard try number(block[148..<156]) == Int64(sum) else {
            throw ArchiveFailure("it is no tar file, or is damaged")
        }
    }

    private static func name(_ block: [UInt8]) throws -> String {
        let name = try text(block[0..<100])
        // Only the POSIX format has a prefix there; GNU's has times.
        let isPosix = block[257..<263].elementsEqual([0x75, 0x73, 0x74, 0x61, 0x72, 0])
        let prefix = isPosix ? try text(block[345..<500]) : ""
        return prefix.isEmpty ? name : prefix + "/" + name
    }

    static func text(_ bytes: some Collection<UInt8>) throws -> String {
        guard let text = String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self) else {
            throw ArchiveFailure("one of its names is no UTF-8")
        }
        return text
    }

    /// Octal digits, or a binary number where the first bit is set.
    private static func number(_ bytes: ArraySlice<UInt8>) throws -> Int64 {
        let wrong = ArchiveFailure("one of its numbers cannot be read")
        if let first = bytes.first, first & 0x80 != 0 {
            var value = UInt64(first & 0x7F)
            for byte in bytes.dropFirst() {
                guard value < 1 << 54 else { throw wrong }
                value = value << 8 | UInt64(byte)
            }
            return Int64(value)
        }
        let digits = bytes.drop { $0 == 32 || $0 == 0 }.prefix { $0 != 32 && $0 != 0 }
        var value: Int64 = 0
        for digit in digits {
            guard (48...55).contains(digit), value < 1 << 58 else { throw wrong }
            value = value << 3 | Int64(digit - 48)
        }
        return value
    }
}

extension TarHeader.Extension {
    /// Records of `length name=value` and a line end.
    mutating func read(_ bytes: [UInt8]) throws {
        let wrong = ArchiveFailure("one of its extended headers cannot be read")
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let space = rest.firstIndex(of: 32),
                let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
                length > space - rest.startIndex + 1, length <= rest.count
            else { throw wrong }
            let record = rest[(space + 1)..<(rest.startIndex + length - 1)]
            rest = rest[(rest.startIndex + length)...]
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { throw wrong }
            let name = String(decoding: record[..<equals], as: UTF8.self)
            let value = record[(equals + 1)...]
            switch name {
            case "path": self.name = try TarHeader.text(value)
            case "linkpath": link = try TarHeader.text(value)
            case "size":
                guard let number = Int64(String(decoding: value, as: UTF8.self)), number >= 0
                else { throw wrong }
                size = number
            case _ where name.hasPrefix("GNU.sparse."): isSparse = true
            default: break
            }
        }
    }
}
