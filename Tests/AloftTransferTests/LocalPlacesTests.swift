import AloftTestKit
import Foundation
import Testing

@testable import AloftTransfer

/// Which folders of this machine are read for what a tracker names.
@Suite struct LocalPlacesTests {
    private let folder: TemporaryFolder
    private static let run = String(repeating: "0123456789abcdef", count: 2)

    init() throws {
        folder = try TemporaryFolder()
        for path in ["db/mlruns/1/a", "db/mlartifacts/1/b", "named/1/r/artifacts", "outside/x"] {
            try file(path + "/file.txt", "file of \(path)")
        }
    }

    private func file(_ path: String, _ text: String) throws {
        let url = folder.url(path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/" + path, withDestinationPath: folder.path + "/" + target)
    }

    private func places(artifacts: String? = nil, trustsPaths: Bool = false) -> LocalPlaces {
        LocalPlaces(
            base: folder.path + "/db", artifacts: artifacts.map { folder.path + "/" + $0 },
            trustsPaths: trustsPaths)
    }

    /// What is found there: the files, or why there is nothing.
    private func found(_ place: ArtifactPlace) async throws -> [String] {
        switch place {
        case .here(let reader):
            let listing = try await reader.list()
            return listing.files.map(\.path) + listing.leftOut.map { "left out: " + $0.why }
        case .elsewhere(let uri): return ["elsewhere " + uri]
        case .unreachable(let why): return ["unreachable: " + why]
        case .refused(let why): return ["refused: " + why]
        }
    }

    @Test func `what MLflow makes beside its database is read`() async throws {
        let places = places()
        #expect(try await found(places.place(of: "mlflow-artifacts:/1/b")) == ["file.txt"])
        for uri in ["mlruns/1/a", "./mlruns//1/a/", "file://\(folder.path)/db/mlruns/1/a"] {
            #expect(try await found(places.place(of: uri)) == ["file.txt"], "\(uri)")
        }
    }

    @Test func `what nobody named is refused, and said how to name it`() async throws {
        for uri in ["\(folder.path)/outside/x", "file:\(folder.path)/outside/x"] {
            let found = try await found(places().place(of: uri))
            #expect(found[0].contains("is outside of"), "\(found)")
            #expect(found[0].contains("--artifacts"))
            #expect(
                try await self.found(places(artifacts: "outside").place(of: uri)) == ["file.txt"])
            #expect(try await self.found(places(trustsPaths: true).place(of: uri)) == ["file.txt"])
        }
    }

    @Test(arguments: [
        "mlflow-artifacts:/../outside/x", "mlflow-artifacts:/1/../../../outside",
        "mlruns/../../outside/x", "mlruns/1/a/../../../../outside", "mlruns/\u{0}",
    ])
    func `a path that leads out of its folder is refused`(uri: String) async throws {
        let found = try await found(places().place(of: uri))
        #expect(found[0].hasPrefix("refused: ") || found[0].hasPrefix("unreachable: "), "\(found)")
        #expect(!found.contains("file.txt"))
    }

    @Test func `no link in a folder is followed`() async throws {
        try link("db/mlruns/1/out", to: "outside")
        try link("db/mlruns/1/a/link.txt", to: "outside/x/file.txt")
        #expect(
            try await found(places().place(of: "mlruns/1/a"))
                == [
                    "file.txt",
                    "left out: it is a link; links are not followed without --trust-paths",
                ])
        let through = try await found(places().place(of: "mlruns/1/out/x"))
        #expect(through[0].contains("is a link"), "\(through)")
    }

    /// A run's own folder is read wherever it is beside the database; any other is not.
    @Test func `a run's folder beside the database is read`() async throws {
        try file("db/experiments/7/\(Self.run)/artifacts/m.txt", "m")
        try file("db/experiments/7/private/m.txt", "m")
        let places = places()
        #expect(
            try await found(places.place(of: "experiments/7/\(Self.run)/artifacts")) == ["m.txt"])
        let other = try await found(places.place(of: "experiments/7/private"))
        #expect(other[0].contains("is outside of"))
    }

    @Test func `folders that were moved are found by how they end`() async throws {
        let places = places(artifacts: "named")
        #expect(try await found(places.place(of: "/home/her/mlruns/1/r/artifacts")) == ["file.txt"])
        let gone = try await found(places.place(of: "/home/her/mlruns/1/other/artifacts"))
        #expect(gone[0].contains("is not on this machine"))
    }

    @Test func `a run that logged no file has an empty folder`() async throws {
        #expect(try await found(places().place(of: "mlruns/1/none/artifacts")) == [])
    }

    @Test func `what is not on this machine stays where it is`() async throws {
        #expect(
            try await found(places().place(of: "s3://bucket/1")) == ["elsewhere s3://bucket/1"])
    }
}
