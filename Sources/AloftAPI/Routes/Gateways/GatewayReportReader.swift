import AloftControl
import AloftDomain
import AloftStore
import AloftWire
import Foundation
import NIOCore

/// Reads a gateway's report a revision at a time. Its histograms are lists of pairs of small numbers, and take
/// many times their bytes once they are values: each is noted as a text before the next is read.
struct GatewayReportReader {
    /// A report, but for what was counted of single revisions.
    struct Head: Decodable {
        var gateway: GatewayID
        var incarnation: String
        var desiredRevision: Int
    }

    /// What is kept of a report.
    struct Report: Sendable {
        var gateway: GatewayID
        var incarnation: String
        var desiredRevision: Int
        var revisions: [GatewayRevisionNote] = []
        var shadows: [ShadowReportRecord] = []
        var unrouted: [(kind: TrafficRecorder.Unrouted, requests: UInt64)] = []
    }

    /// Of a head's value, and of one revision, shadow or kind of request.
    private static let headBytes = 4096
    private static let partBytes = 64 << 10
    /// Of one gateway; what it tells beyond is left out.
    private static let mostUnrouted = 500

    /// Those that are served, by whose names alone anything is kept.
    let known: Set<RevisionID>

    /// - Parameter counted: called with the head, and then with each revision that is known.
    /// - Throws: `BodyError`.
    func read(
        _ buffer: ByteBuffer, counted: (Head, GatewayRevisionReport) -> Void
    ) throws -> Report {
        try NulCheck.refuse(buffer.readableBytesView)
        do {
            return try buffer.withUnsafeReadableBytes { try read($0, counted: counted) }
        } catch let error as DecodingError {
            throw BodyError.malformed(reason: error.plainReason)
        }
    }

    private func read(
        _ bytes: UnsafeRawBufferPointer, counted: (Head, GatewayRevisionReport) -> Void
    ) throws -> Report {
        var parts = JSONParts(bytes)
        let heads = ["gateway", "incarnation", "desiredRevision"]
        let places = try parts.members(named: heads + ["revisions", "shadows", "unrouted"])
        let head = try Self.head(bytes, heads, places)
        var report = Report(
            gateway: head.gateway, incarnation: head.incarnation,
            desiredRevision: head.desiredRevision)
        guard let revisions = places["revisions"] else {
            throw BodyError.malformed(reason: "revisions is missing")
        }
        var count = 0
        try JSONParts.forEachItem(of: bytes, at: revisions) { _ in count += 1 }
        report.revisions.reserveCapacity(min(count, known.count))
        try JSONParts.forEachItem(of: bytes, at: revisions) { place in
            let told = try Self.decode(RevisionReport.self, bytes, place)
            // Whatever is told beyond, one that is served is told of once.
            guard known.contains(told.revision), report.revisions.count < known.count else {
                return
            }
            let counts = GatewayRevisionReport(told)
            counted(head, counts)
            report.revisions.append(try GatewayRevisionNote(counts))
        }
        if let shadows = places["shadows"], !Self.isNull(bytes, shadows) {
            try JSONParts.forEachItem(of: bytes, at: shadows) { place in
                let told = try Self.decode(ShadowReport.self, bytes, place)
                guard known.contains(told.revision) else { return }
                report.shadows.append(
                    ShadowReportRecord(
                        endpoint: told.endpoint, revision: told.revision, counts: told.counts))
            }
        }
        if let unrouted = places["unrouted"], !Self.isNull(bytes, unrouted) {
            try JSONParts.forEachItem(of: bytes, at: unrouted) { place in
                guard report.unrouted.count < Self.mostUnrouted else { return }
                let told = try Self.decode(UnroutedCount.self, bytes, place)
                let kind = TrafficRecorder.Unrouted(
                    code: Self.cut(told.code, 64), status: told.status,
                    endpoint: told.endpoint.map { Self.cut($0, 200) })
                report.unrouted.append((kind, told.requests))
            }
        }
        return report
    }

    private static func head(
        // text: names of our own
        _ bytes: UnsafeRawBufferPointer, _ names: [String], _ places: [String: Range<Int>]
    ) throws -> Head {
        var text = Data("{".utf8)
        for name in names {
            guard let place = places[name] else {
                throw BodyError.malformed(reason: "\(name) is missing")
            }
            guard place.count <= headBytes else {
                throw BodyError.malformed(reason: "\(name) is longer than \(headBytes) bytes")
            }
            if text.count > 1 { text.append(UInt8(ascii: ",")) }
            text.append(contentsOf: "\"\(name)\":".utf8)
            text.append(contentsOf: bytes[place])
        }
        text.append(UInt8(ascii: "}"))
        return try JSON.decoder.decode(Head.self, from: text)
    }

    private static func decode<Value: Decodable>(
        _ type: Value.Type, _ bytes: UnsafeRawBufferPointer, _ place: Range<Int>
    ) throws -> Value {
        guard place.count <= partBytes else {
            throw BodyError.malformed(
                reason: "an item before byte \(place.upperBound) is longer than \(partBytes) bytes")
        }
        let part = UnsafeRawBufferPointer(rebasing: bytes[place])
        try BodyWeight.check(part, perByte: ReportGateway.readingBytesPerByte)
        return try JSON.decoder.decode(type, from: Data(part))
    }

    private static func isNull(_ bytes: UnsafeRawBufferPointer, _ place: Range<Int>) -> Bool {
        bytes[place].elementsEqual("null".utf8)
    }

    private static func cut(_ text: String, _ bytes: Int) -> String {
        text.utf8.count <= bytes ? text : String(decoding: text.utf8.prefix(bytes), as: UTF8.self)
    }
}

extension GatewayRevisionReport {
    init(_ report: RevisionReport) {
        let state: State =
            switch report.state {
            case .loading: .loading
            case .ready: .ready
            case .failed: .failed
            case .draining: .draining
            }
        self.init(
            revision: report.revision, state: state,
            error: report.error.map { String(decoding: $0.utf8.prefix(2000), as: UTF8.self) },
            warmup: report.warmup,
            traffic: TrafficCount(
                requests: report.requests, errors: report.errors, refused: report.refused ?? 0,
                turnedAway: report.turnedAway ?? 0, contested: report.contested ?? 0,
                latency: report.latency,
                scores: report.scores ?? AnswerScores()))
    }
}
