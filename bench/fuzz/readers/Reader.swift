import Foundation

/// A reader of bytes that come from outside, and good ones to begin with.
struct Reader: Sendable {
    let name: String
    /// Each is read in the ways that `variants` counts: as another model's, with other options.
    var variants = 1
    /// How many bytes of memory each byte of a body may take, beside a mebibyte.
    var growth = 8
    let good: [[UInt8]]
    /// What makes its bodies: mutations put them in.
    var words: [String] = []
    /// What it refuses is thrown; whatever comes of it does not matter here.
    let read: @Sendable (_ variant: Int, UnsafeRawBufferPointer) throws -> Void

    /// Most are not to be reached from outside of their modules, so only builds for debugging have them.
    static let all: [Reader] = {
        #if DEBUG
            InferenceReaders.all + GatewayReaders.all + TrackingReaders.all + ControlReaders.all
                + ArchiveReaders.all
        #else
            ArchiveReaders.all
        #endif
    }()
}

/// What goes to a reader: a byte for the reader, one for the variant, then the body. So one program reads
/// them all, under libFuzzer too.
struct Sample: Sendable {
    var reader: Int
    var variant: Int
    var body: [UInt8]

    init(reader: Int, variant: Int, body: [UInt8]) {
        self.reader = reader
        self.variant = variant
        self.body = body
    }

    init?(_ bytes: UnsafeRawBufferPointer, of readers: [Reader]) {
        guard bytes.count >= 2, !readers.isEmpty else { return nil }
        reader = Int(bytes[0]) % readers.count
        variant = Int(bytes[1])
        body = Array(bytes[2...])
    }

    var bytes: [UInt8] {
        [UInt8(truncatingIfNeeded: reader), UInt8(truncatingIfNeeded: variant)] + body
    }

    /// All good bodies, each in its first variant.
    static func good(_ readers: [Reader]) -> [Sample] {
        readers.enumerated().flatMap { place, reader in
            reader.good.map { Sample(reader: place, variant: 0, body: $0) }
        }
    }
}

extension String {
    var body: [UInt8] { Array(utf8) }
}
