import AloftClient
import AloftDomain
import AloftTestKit
import AloftWire
import Foundation
import Synchronization
import Testing

@testable import AloftTransfer

/// What a second import sends, and what one fault costs.
@Suite(.timeLimit(.minutes(20))) struct ImporterTests {
    private static let http = ServerClient.makeHTTPClient()
    private static let artifacts = "/api/2.0/mlflow-artifacts/artifacts"

    /// A server that takes all, and knows what a test says.
    private final class Target: Sendable {
        struct Memory {
            /// By run id: the state of its fingerprint, and of that of one that is here in part.
            var known: [String: (whole: CheckImports.State?, inPart: CheckImports.State?)] = [:]
            /// Refuses questions about more than one run.
            var isNarrow = false
            /// Runs that it refuses.
            var refused: Set<String> = []
            /// Files that it holds, by their paths below the run, with their sizes.
            var files: [String: Int] = [:]
        }

        let memory: Mutex<Memory>

        init(_ set: (inout Memory) -> Void) {
            var memory = Memory()
            set(&memory)
            self.memory = Mutex(memory)
        }

        func answer(_ asked: StubServer.Asked) throws -> StubServer.Answer {
            let memory = memory.withLock { $0 }
            let path = asked.path.split(separator: "?").first.map(String.init) ?? ""
            switch path {
            case ImportExperiment.path:
                return try .init(
                    ImportExperiment.Reply(
                        experiment: ExperimentID("9"), artifactLocation: "mlflow-artifacts:/9",
                        isNew: true))
            case CheckImports.path:
                let body = try JSONDecoder().decode(CheckImports.Body.self, from: asked.body)
                if memory.isNarrow, body.runs.count != 1 { return refusal }
                var states: [String: CheckImports.State] = [:]
                for item in body.runs {
                    if memory.isNarrow, memory.refused.contains(item.id) { return refusal }
                    let known = memory.known[item.id]
                    states[item.id] =
                        item.fingerprint.hasSuffix("-in-part") ? known?.inPart : known?.whole
                }
                return try .init(CheckImports.Reply(runs: states, loggedModels: [:]))
            case ImportRun.path:
                let lines = String(decoding: asked.body, as: UTF8.self).split(separator: "\n")
                let header = try JSONDecoder().decode(
                    ImportRun.Header.self, from: Data(lines[0].utf8))
                if memory.refused.contains(header.run.id.rawValue) { return refusal }
                return try .init(ImportRun.Reply(isNew: true, points: 0))
            case artifacts where asked.method == "GET":
                let files = memory.files.map { ["path": $0.key, "file_size": "\($0.value)"] }
                let items = files.map {
                    #"{"path": "\#($0["path"] ?? "")", "file_size": \#($0["file_size"] ?? "0")}"#
                }
                return .init(#"{"files": [\#(items.joined(separator: ","))]}"#)
            default: return .init("{}")
            }
        }

        private var refusal: StubServer.Answer {
            .init(
                status: 400, #"{"error": {"code": "invalid", "message": "It is not wanted."}}"#)
        }
    }

    /// Imports, and says what was sent and what came of it.
    private func take(
        _ source: FakeSource, _ target: Target, experiments: Set<String> = []
    ) async throws -> (report: TransferReport, runs: [ImportRun.Header], files: [String]) {
        let stub = StubServer { try target.answer($0) }
        let report = try await stub.run { url in
            try await Importer(
                from: source, into: ServerClient(server: url, token: nil, http: Self.http),
                experiments: experiments, tell: { _ in }
            ).run()
        }
        let headers = try stub.asked.filter { $0.path == ImportRun.path }.map { asked in
            let lines = String(decoding: asked.body, as: UTF8.self).split(separator: "\n")
            return try JSONDecoder().decode(ImportRun.Header.self, from: Data(lines[0].utf8))
        }
        let files = stub.asked.filter { $0.method == "PUT" }
            .map { String($0.path.dropFirst(Self.artifacts.count)) }
        return (
            try #require(report ?? nil),
            headers.sorted { $0.run.id.rawValue < $1.run.id.rawValue }, files.sorted()
        )
    }

    private func source(_ ids: [String], files: [String: String] = [:]) -> FakeSource {
        let source = FakeSource()
        source.set(
            runs: ids.map { id in
                var run = source.run(id)
                run.artifactURI = files.isEmpty ? "" : "here"
                return run
            })
        source.set(files: files)
        return source
    }

    @Test func `all of a tracker is taken, page by page, into the experiment here`() async throws {
        let (report, runs, _) = try await take(source(["a", "b", "c", "d", "e"]), Target { _ in })
        #expect(runs.map(\.run.id.rawValue) == ["a", "b", "c", "d", "e"])
        #expect(runs.allSatisfy { $0.run.experiment == "9" && $0.source == "fake" })
        #expect(report.runs == 5)
        #expect(report.experiments == 1)
        #expect(report.leftOut == [LeftOut("traces", "nobody takes them")])
        #expect(report.failures == [])
    }

    @Test func `a second time only what is new or changed is sent`() async throws {
        let target = Target {
            $0.known = [
                "a": (.same, nil), "b": (.changed, .changed), "c": (.deleted, nil),
                "d": (.foreign, nil),
            ]
        }
        let (report, runs, _) = try await take(source(["a", "b", "c", "d", "e"]), target)
        #expect(runs.map(\.run.id.rawValue) == ["b", "e"])
        #expect(report.runsUnchanged == 1)
        #expect(
            report.leftOut.map(\.what) == ["run c", "run d", "traces"])
    }

    @Test func `a run that goes on is asked for each time`() async throws {
        let source = FakeSource()
        source.set(runs: [source.run("a", status: .running)])
        let (_, runs, _) = try await take(source, Target { $0.known = ["a": (.same, nil)] })
        #expect(runs.map(\.run.id.rawValue) == ["a"])
    }

    @Test func `files that are there already in their size are not sent again`() async throws {
        let files = ["a.txt": "12345", "deep/b.txt": "1", "c d.txt": "123"]
        let target = Target { $0.files = ["a.txt": 5, "c d.txt": 2] }
        let (report, runs, sent) = try await take(source(["r"], files: files), target)
        #expect(sent == ["/9/r/artifacts/c%20d.txt", "/9/r/artifacts/deep/b.txt"])
        #expect(report.files == 2)
        #expect(report.fileBytes == 4)
        #expect(runs[0].fingerprint.hasSuffix("-in-part") == false)
    }

    /// A run that changed after all of it was taken: its files may have, without changing their size.
    @Test func `files of a changed run are sent again`() async throws {
        let target = Target {
            $0.files = ["a.txt": 1]
            $0.known = ["r": (.changed, .changed)]
        }
        let (_, _, sent) = try await take(source(["r"], files: ["a.txt": "1"]), target)
        #expect(sent == ["/9/r/artifacts/a.txt"])
    }

    @Test func `a file that cannot be read or kept costs itself, and is tried again`()
        async throws
    {
        let files = ["a.txt": "1", "bad\\name": "2", "broken.txt": "3", "z.txt": "4"]
        let source = source(["r"], files: files)
        source.set(files: files, broken: ["broken.txt"])
        let (report, runs, sent) = try await take(source, Target { _ in })
        #expect(sent.contains("/9/r/artifacts/a.txt"))
        #expect(sent.contains("/9/r/artifacts/z.txt"))
        #expect(report.files == 2)
        #expect(
            report.failures.map(\.what) == [
                "file 'bad\\name' of run r", "file 'broken.txt' of run r",
            ])
        #expect(report.failures.last?.why == "the disk gave up")
        // The run is here, under a mark that the next import does not take for whole.
        #expect(runs.map(\.fingerprint).allSatisfy { $0.hasSuffix("-in-part") })
        #expect(report.runs == 1)
    }

    @Test func `a run that the server refuses does not stop the others`() async throws {
        let target = Target { $0.refused = ["b"] }
        let (report, _, _) = try await take(source(["a", "b", "c"]), target)
        #expect(report.runs == 2)
        #expect(report.failures == [LeftOut("run b", "It is not wanted.")])
    }

    /// The server takes the list not, so each is asked for alone.
    @Test func `one that cannot be asked about does not cost the others`() async throws {
        let target = Target {
            $0.isNarrow = true
            $0.refused = ["b"]
            $0.known = ["a": (.same, nil)]
        }
        let (report, runs, _) = try await take(source(["a", "b", "c"]), target)
        #expect(runs.map(\.run.id.rawValue) == ["c"])
        #expect(report.runsUnchanged == 1)
        #expect(report.failures == [LeftOut("run b", "It is not wanted.")])
    }

    @Test func `an experiment that is not there is said by its name`() async throws {
        let error = await #expect(throws: SourceError.self) {
            _ = try await take(source(["a"]), Target { _ in }, experiments: ["second"])
        }
        #expect(error?.message == "there is no experiment 'second' in fake")
    }

    @Test func `a fingerprint is of what there is to take, and of nothing else`() throws {
        let source = FakeSource()
        let run = source.run("a", metrics: ["loss"])
        var other = run
        #expect(try Fingerprint.of(run) == Fingerprint.of(other))
        other.metrics[0].value = .nan
        let changed = try Fingerprint.of(other)
        #expect(changed != (try Fingerprint.of(run)))
        other.metrics[0].value = .infinity
        #expect(try Fingerprint.of(other) != changed)
        #expect(changed.utf8.count == 32)
    }

    @Test(arguments: [
        (ClientError.refused(status: 400, code: "c", message: "m"), true),
        (.refused(status: 404, code: "c", message: "m"), true),
        (.refused(status: 401, code: "c", message: "m"), false),
        (.refused(status: 429, code: "c", message: "m"), false),
        (.refused(status: 503, code: "c", message: "m"), false),
        (.unreachable(server: "s", reason: "r"), false),
    ])
    func `a server that takes nothing more ends all, another fault costs one thing`(
        error: ClientError, isOfOne: Bool
    ) {
        #expect(TransferFault.isOfOne(error) == isOfOne)
        #expect(TransferFault.isOfOne(SourceError("a")))
        #expect(!TransferFault.isOfOne(SourceError("a", endsAll: true)))
        #expect(!TransferFault.isOfOne(CancellationError()))
    }
}
