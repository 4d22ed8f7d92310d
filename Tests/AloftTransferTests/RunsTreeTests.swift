import AloftDomain
import AloftTestKit
import AloftWire
import Foundation
import NIOCore
import Testing

@testable import AloftTransfer

/// The folder `mlruns`: points in pieces, links, and what is no point.
@Suite struct RunsTreeTests {
    private let folder: TemporaryFolder
    private let faults = TransferFaults()

    init() throws { folder = try TemporaryFolder() }

    private var tree: RunsTree {
        RunsTree(folder: ConfinedFolder(root: folder.path, components: []), faults: faults)
    }

    private func write(_ text: String, to name: String) throws {
        let url = folder.url(name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    /// Every point, asked for so many at a time.
    private func points(_ name: String, atMost count: Int) throws -> [MetricPoint] {
        var all: [MetricPoint] = []
        var offset: Int64? = 0
        while let from = offset {
            let (some, next) = try tree.points(name, from: from, atMost: count)
            #expect(some.count <= count)
            all += some
            if let next { try #require(next > from) }
            offset = next
        }
        return all
    }

    @Test(arguments: [1, 2, 7, 1000])
    func `points come whole and once, however many are asked for`(count: Int) throws {
        let lines = (0..<50).map { "\(1000 + $0) \(Double($0) / 3) \($0)\n" }
        try write(lines.joined(), to: "m")
        let found = try points("m", atMost: count)
        #expect(found.map(\.step) == Array(0..<50))
        #expect(found.map(\.value) == (0..<50).map { Double($0) / 3 })
    }

    /// More than is read at once, with lines across its borders.
    @Test func `points of a large file come whole and once`() throws {
        let count = 120_000
        try write((0..<count).map { "17000000000\($0) 0.5 \($0)\n" }.joined(), to: "m")
        #expect(try points("m", atMost: 5000).map(\.step) == (0..<Int64(count)).map { $0 })
        #expect(try tree.lastPoint("m").step == Int64(count - 1))
    }

    @Test func `a last line without an end, empty lines and steps left out are read`() throws {
        try write("1 0.5\n\n  \r\n2 nan 3\r\n3 -inf 4 name digest run", to: "m")
        let found = try points("m", atMost: 10)
        #expect(found.map(\.timestamp) == [1, 2, 3])
        #expect(found.map(\.step) == [0, 3, 4])
        #expect(found[1].value.isNaN)
        #expect(try tree.lastPoint("m").timestamp == 3)
        let model = try tree.modelPoints("m", key: "k")
        #expect(model.map(\.key) == ["k", "k", "k"])
        #expect(model[2].run.rawValue == "run")
        #expect(model[2].datasetDigest == "digest")
    }

    @Test(arguments: ["x 0.5 1", "1", "1 x", "1 0.5 x", "99999999999999999999 1 1"])
    func `a line that is no point is named`(line: String) throws {
        try write("1 1 1\n" + line + "\n", to: "m")
        let error = #expect(throws: SourceError.self) { try points("m", atMost: 10) }
        #expect(error?.message.contains("'\(line)', which is no point") == true)
        #expect(error?.endsAll == false)
    }

    @Test func `a file without points is said`() throws {
        try write("\n", to: "m")
        #expect(throws: SourceError.self) { try tree.lastPoint("m") }
        #expect(throws: SourceError.self) { try tree.points("none", from: 0, atMost: 1) }
    }

    @Test func `links are told of and never read`() throws {
        try write("secret", to: "outside/p")
        try write("name: a\n", to: "runs/1/meta.yaml")
        try write("5", to: "runs/1/params/lr")
        for (link, target) in [("runs/1/params/x", "outside/p"), ("runs/2", "outside")] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.path + "/" + link,
                withDestinationPath: folder.path + "/" + target)
        }
        #expect(try tree.texts("runs/1/params") == [NamedText(key: "lr", value: "5")])
        #expect(tree.folders(in: "runs") == ["1"])
        #expect(try tree.texts("runs/2") == [])
        #expect(throws: SourceError.self) { try tree.meta("runs/2/p") }
        #expect(faults.all.allSatisfy { $0.why.contains("it is a link") })
        #expect(Set(faults.all.map(\.what)).count == 2)
    }

    @Test func `names with slashes are folders that are joined again`() throws {
        try write("1", to: "p/a")
        try write("2", to: "p/deep/er/b")
        try write("3", to: "p/é")
        #expect(try tree.texts("p").map(\.key) == ["a", "deep/er/b", "é"])
        #expect(tree.isFolder("p/deep"))
        #expect(!tree.isFolder("p/a"))
        #expect(tree.isFile("p/a"))
        #expect(!tree.isFile("p/none"))
    }
}

/// A run on its way: its header, then its points as they are read.
@Suite struct RunLinesTests {
    @Test func `a run is a header and a line for each metric's piece`() async throws {
        let source = FakeSource()
        let run = source.run("r", metrics: ["loss", "none", "auc"])
        source.set(points: ["loss": [1, .nan, 3], "auc": [.infinity]], piece: 2)
        let header = ImportRun.Header(
            source: "s", fingerprint: "f", run: run, keepsArtifacts: false)
        var lines: [String] = []
        for try await buffer in RunLines(header: header, run: run, source: source) {
            lines += String(buffer: buffer).split(separator: "\n").map(String.init)
        }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        #expect(
            try decoder.decode(ImportRun.Header.self, from: Data(lines[0].utf8)).run.id == run.id)
        let points = try lines.dropFirst().map {
            try decoder.decode(TransferPoints.self, from: Data($0.utf8))
        }
        #expect(points.map(\.key) == ["loss", "loss", "auc"])
        #expect(
            points.map(\.values.description) == [
                "[1.0, nan]", "[3.0]", "[\(Double.greatestFiniteMagnitude)]",
            ])
    }

    @Test func `a table has a column for each name and a row for each run`() {
        let source = FakeSource()
        var table = RunTable()
        var one = source.run("r1", metrics: ["loss"])
        one.params = [NamedText(key: "lr", value: "0,1"), NamedText(key: "b", value: "x")]
        var two = source.run("r2", metrics: ["auc"])
        two.name = "second \"one\""
        table.add(one)
        table.add(two)
        let lines = String(decoding: table.csv, as: UTF8.self).split(separator: "\n")
        #expect(
            lines[0]
                == "run_id,name,user,status,started,ended,params.b,params.lr,metrics.auc,metrics.loss"
        )
        #expect(
            lines[1]
                == "r1,run,,FINISHED,1970-01-01T00:00:00.001Z,1970-01-01T00:00:00.002Z,x,\"0,1\",,0.0"
        )
        #expect(lines[2].hasPrefix("r2,\"second \"\"one\"\"\","))
    }
}
