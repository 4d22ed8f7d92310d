import AloftClient
import AloftDomain
package import AloftWire
import Foundation
package import NIOCore
import Synchronization

/// A tracker that is read: another server, or its database file. What is deleted there is left out.
package protocol TransferSource: Sendable {
    /// How imports know this tracker again: its address or path.
    var identity: String { get }

    /// By id, so that the older come first.
    func experiments() async throws -> [TransferExperiment]

    /// Runs of an experiment after `page`; the first ones for `nil`.
    func runs(of experiment: String, after page: String?) async throws -> Page<TransferRun>

    /// Points of a run after `cursor`, at most `ImportRun.pointsPerLine` a metric.
    func points(
        of run: TransferRun, after cursor: PointsCursor
    ) async throws -> (points: [TransferPoints], next: PointsCursor?)

    func loggedModels(
        of experiment: String, after page: String?
    ) async throws -> Page<TransferLoggedModel>

    func models() async throws -> [TransferModel]

    /// Where the files of an artifact URI are.
    func place(of uri: String) -> ArtifactPlace

    /// What this tracker holds that nobody takes along.
    func leftOut() async throws -> [LeftOut]

    /// What was to be read and could not, so far.
    var faults: TransferFaults { get }
}

/// What a source could not read, noted while the rest goes on. May be used by many tasks at once.
package final class TransferFaults: Sendable {
    private struct Found {
        var all: [LeftOut] = []
        var seen: Set<ExactText> = []
    }

    private let found = Mutex(Found())

    package init() {}

    package var all: [LeftOut] { found.withLock { $0.all } }

    func note(_ what: String, _ error: any Error) { note(what, TransferFault.words(of: error)) }

    func note(_ what: String, _ why: String) {
        found.withLock { found in
            // Pages are read again by whoever starts again.
            guard found.seen.insert(ExactText(what + "\0" + why)).inserted else { return }
            found.all.append(LeftOut(what, why))
        }
    }
}

/// Errors of one thing in a person's words.
enum TransferFault {
    static func words(of error: any Error) -> String {
        switch error {
        case let error as SourceError: error.message
        case let error as ClientError: error.message
        case let error as any Refusal: error.message
        default: ErrorWords.own(error) ?? "it cannot be read (\(type(of: error)))"
        }
    }

    /// Whether an error is one thing's own, so that the others go on.
    static func isOfOne(_ error: any Error) -> Bool {
        switch error {
        case is CancellationError: false
        case let error as SourceError: !error.endsAll
        // 401, 429 and what is over 500 come from a side that takes nothing more.
        case ClientError.refused(let status, _, _): status <= 500 && ![401, 429].contains(status)
        case is ClientError: false
        default: true
        }
    }
}

package struct Page<Item: Sendable>: Sendable {
    package var items: [Item]
    /// `nil` on the last page.
    package var next: String?

    package init(items: [Item], next: String?) {
        self.items = items
        self.next = next
    }
}

/// How far the points of a run were read.
package struct PointsCursor: Sendable, Equatable {
    /// The metric's place among the run's metrics.
    var metric = 0
    var page: String?
    var row: Int64 = -1

    package init() {}
}

/// One thing that is not taken, and why.
package struct LeftOut: Sendable, Equatable, Codable {
    package var what: String
    package var why: String

    package init(_ what: String, _ why: String) {
        self.what = what
        self.why = why
    }
}

/// A file below an artifact URI.
package struct ArtifactFile: Sendable, Equatable {
    /// Relative to the URI, with slashes; checked: no `..`, nothing absolute.
    package var path: String
    package var sizeBytes: Int64
}

/// What a place holds.
package struct ArtifactListing: Sendable, Equatable {
    package var files: [ArtifactFile]
    /// What is there and not taken, such as links.
    package var leftOut: [LeftOut] = []
}

/// Files that can be read from here.
package protocol ArtifactReader: Sendable {
    /// Every file, by path. Empty where there is no such folder.
    func list() async throws -> ArtifactListing
    func open(_ file: ArtifactFile) async throws -> ArtifactBody
}

/// A file's bytes, read as they are asked for.
package typealias ArtifactBody = AsyncThrowingStream<ByteBuffer, any Error>

package enum ArtifactPlace: Sendable {
    case here(any ArtifactReader)
    /// The files stay where they are: clients reach that place themselves.
    case elsewhere(String)
    /// The files cannot be reached; why.
    case unreachable(String)
    /// The files are there, but outside of what the user pointed at.
    case refused(String)
}

/// Why a tracker could not be read.
package struct SourceError: Error, Sendable {
    package let message: String
    /// Whether the tracker said no, rather than nothing.
    package let isRefusal: Bool
    /// Whether nothing more can be read; else it is one thing's fault, and the others go on.
    package let endsAll: Bool

    package init(_ message: String, isRefusal: Bool = false, endsAll: Bool = false) {
        self.message = message
        self.isRefusal = isRefusal
        self.endsAll = endsAll
    }
}

/// Names of files as other trackers give them.
enum SafePath {
    /// The path without empty components; `nil` if it leaves its folder or is none.
    static func checked(_ text: String) -> String? {
        let parts = text.pieces(at: "/")
        guard !parts.isEmpty, parts.count <= 100, !text.utf8.contains(0), !text.holds("\\"),
            parts.allSatisfy({ !$0.isSame(as: "..") && !$0.isSame(as: ".") && $0.utf8.count <= 255 }
            )
        else { return nil }
        return parts.joined(separator: "/")
    }

    /// - Throws: `SourceError` if the path cannot be kept.
    static func require(_ path: String) throws {
        guard checked(path) != nil else {
            throw SourceError(
                "its name cannot be kept: it holds a back-slash or '..', or is too long",
                isRefusal: true)
        }
    }

    /// Percent-encoded for a URL, but for the slashes.
    static func encoded(_ path: String) -> String {
        path.pieces(at: "/").map { part in
            part.utf8.map { byte in
                switch byte {
                case 48...57, 65...90, 97...122, 45, 46, 95, 126:
                    String(UnicodeScalar(byte))
                default:
                    "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
                }
            }.joined()
        }.joined(separator: "/")
    }
}
