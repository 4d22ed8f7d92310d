import Foundation
import Testing

@testable import AloftDomain

/// The table of errors is what the documentation shows, for every kind in every protocol.
struct WireErrorTests {
    /// The rows of docs/reference/errors.md between its two marks, cell by cell.
    private func documented() throws -> [[String]] {
        let page = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/reference/errors.md")
        let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
        return lines.filter { $0.hasPrefix("| `") }.map { line in
            line.split(separator: "|").map {
                $0.trimmingCharacters(in: .whitespaces).replacingOccurrences(of: "`", with: "")
            }
        }
    }

    @Test func `each kind has its row, and the row says what is sent`() throws {
        let rows = try documented()
        let sent = RefusalKind.allCases.map { kind in
            let wire = kind.wire
            return [
                "\(kind)", "\(wire.http)", "\(wire.grpc.rawValue) \(wire.grpc)",
                "\(wire.mlflow.rawValue) (\(wire.mlflow.http))",
            ]
        }
        #expect(rows.map { Array($0.prefix(4)) } == sent)
        #expect(rows.allSatisfy { $0.count == 5 && !$0[4].isEmpty })
    }

    @Test func `clients may try again just what may be better later`() {
        for kind in RefusalKind.allCases {
            let mayBeBetter: Bool =
                switch kind {
                case .exhausted, .unavailable, .diskFull: true
                case .invalid, .notFound, .conflict, .unauthenticated, .forbidden, .tooLarge,
                    .checkFailed, .damaged, .unsupported:
                    false
                }
            // The protocol's clients repeat 429 and 503 by themselves, and 500 too.
            #expect([429, 503].contains(kind.wire.mlflow.http) == mayBeBetter, "\(kind)")
        }
    }
}
