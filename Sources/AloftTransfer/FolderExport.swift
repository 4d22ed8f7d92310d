import AloftDomain
import AloftWire
import Foundation
import NIOCore

/// Writes what a tracker holds as files that a person can read; `docs/reference/export-layout.md`
/// has the layout. A run's folder is there whole or not at all; doing it again writes only what
/// changed.
package struct FolderExport: Sendable {
    private let source: any TransferSource
    private let root: String
    // text: what a person typed, who cannot see which spelling it has
    private let names: Set<String>
    private let progress: TransferProgress

    package init(
        // text: as above
        from source: any TransferSource, to folder: String, experiments names: Set<String>,
        tell: @escaping @Sendable (TransferReport) -> Void
    ) {
        self.source = source
        root = URL(fileURLWithPath: folder).standardizedFileURL.path
        self.names = names
        progress = TransferProgress(tell: tell)
    }

    /// - Throws: `SourceError` if the tracker stopped answering, else what the file system says.
    package func run() async throws -> TransferReport {
        let all = try await source.experiments()
        for missing in names.subtracting(all.map(\.name)).sorted() {
            throw SourceError("there is no experiment '\(missing)' in \(source.identity)")
        }
        for experiment in all where names.isEmpty || names.contains(experiment.name) {
            try await attempt("experiment '\(experiment.name)'") { try await write(experiment) }
        }
        try await attempt("registered models") {
            for model in try await source.models() {
                try await attempt("model '\(model.name)'") { try write(model) }
            }
        }
        for fault in source.faults.all { progress.fail(fault.what, fault.why) }
        return progress.current
    }

    /// One thing that cannot be read or written does not stop the others.
    @discardableResult
    private func attempt(_ what: String, _ body: () async throws -> Void) async throws -> Bool {
        do {
            try await body()
            return true
        } catch  where TransferFault.isOfOne(error) {
            progress.fail(what, TransferFault.words(of: error))
            return false
        }
    }

    private func write(_ experiment: TransferExperiment) async throws {
        let below = "experiments/\(FileName.of(experiment.id))"
        let folder = root + "/" + below
        for part in ["runs", "models"] { try FileTree.makeFolder("\(below)/\(part)", in: root) }
        var page: String?
        repeat {
            let found = try await source.loggedModels(of: experiment.id, after: page)
            page = found.next
            for model in found.items {
                try await attempt("logged model \(model.id)") {
                    try await write(model, in: folder)
                }
            }
        } while page != nil
        var table = RunTable()
        repeat {
            let found = try await source.runs(of: experiment.id, after: page)
            page = found.next
            for run in found.items {
                try await attempt("run \(run.id)") { try await write(run, in: folder) }
                table.add(run)
            }
        } while page != nil
        try FileTree.write(table.csv, to: folder + "/runs.csv")
        try FileTree.write(try ExportJSON.data(experiment), to: folder + "/experiment.json")
        progress.note { $0.experiments += 1 }
    }

    // MARK: Runs

    private func write(_ run: TransferRun, in experiment: String) async throws {
        let folder = "\(experiment)/runs/\(FileName.of(run.id.rawValue))"
        let record = try ExportJSON.data(run)
        let isSame = FileManager.default.contents(atPath: folder + "/run.json") == record
        if isSame, run.status.isEnded {
            return progress.note { $0.runsUnchanged += 1 }
        }
        let points = try await FileTree.replace(folder) { folder in
            let isWhole = try await copyFiles(
                of: "run \(run.id)", from: run.artifactURI, to: folder)
            let points = try await writePoints(of: run, to: folder + "/metrics.csv")
            try FileTree.write(Self.mark(record, isWhole), to: folder + "/run.json")
            return points
        }
        progress.note {
            $0.runs += 1
            $0.points += points
        }
    }

    private func writePoints(of run: TransferRun, to path: String) async throws -> Int {
        let file = try OutputFile(path: path)
        try file.write("key,step,timestamp,value\n")
        var cursor: PointsCursor? = PointsCursor()
        var count = 0
        while let at = cursor {
            let (points, next) = try await source.points(of: run, after: at)
            cursor = next
            for one in points {
                let key = CSV.cell(one.key)
                var text = ""
                for index in one.values.indices {
                    text += "\(key),\(one.steps[index]),\(one.timestamps[index]),"
                    text += CSV.number(one.values[index]) + "\n"
                }
                try file.write(text)
                count += one.values.count
            }
        }
        try file.finish()
        return count
    }

    /// The record, or one with a further line end where files are missing: it is never the same as
    /// what there is to write, so that the next time tries them again.
    private static func mark(_ record: Data, _ isWhole: Bool) -> Data {
        isWhole ? record : record + Data("\n".utf8)
    }

    /// - Returns: whether all files are there that can be.
    private func copyFiles(
        of what: String, from uri: String, to folder: String
    ) async throws -> Bool {
        var isWhole = true
        switch source.place(of: uri) {
        case .elsewhere(let place):
            progress.leave("files of \(what)", "they are at \(place)")
        case .unreachable(let why):
            progress.leave("files of \(what)", why)
        case .refused(let why):
            progress.fail("files of \(what)", why)
        case .here(let reader):
            let listing = try await reader.list()
            for left in listing.leftOut { progress.fail(left.what, left.why) }
            isWhole = listing.leftOut.isEmpty
            for file in listing.files {
                isWhole =
                    try await attempt("file '\(file.path)' of \(what)") {
                        try await copy(file, from: reader, to: folder)
                    } && isWhole
            }
        }
        return isWhole
    }

    private func copy(
        _ file: ArtifactFile, from reader: any ArtifactReader, to folder: String
    ) async throws {
        try SafePath.require(file.path)
        let path = folder + "/artifacts/" + file.path
        try FileTree.makeFolder(URL(fileURLWithPath: path).deletingLastPathComponent().path)
        let output = try OutputFile(path: path)
        for try await part in try await reader.open(file) {
            try output.write(Data(part.readableBytesView))
        }
        try output.finish()
        progress.note {
            $0.files += 1
            $0.fileBytes += file.sizeBytes
        }
    }

    // MARK: Models

    private func write(_ model: TransferLoggedModel, in experiment: String) async throws {
        let folder = "\(experiment)/models/\(FileName.of(model.id.rawValue))"
        let record = try ExportJSON.data(model)
        guard FileManager.default.contents(atPath: folder + "/model.json") != record else { return }
        try await FileTree.replace(folder) { folder in
            let isWhole = try await copyFiles(
                of: "logged model \(model.id)", from: model.artifactURI, to: folder)
            try FileTree.write(Self.mark(record, isWhole), to: folder + "/model.json")
        }
        progress.note { $0.loggedModels += 1 }
    }

    private func write(_ model: TransferModel) throws {
        try FileTree.makeFolder("models", in: root)
        try FileTree.write(
            try ExportJSON.data(model), to: "\(root)/models/\(FileName.of(model.name)).json")
        progress.note {
            $0.models += 1
            $0.versions += model.versions.count
        }
    }
}

enum ExportJSON {
    static func data(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return try encoder.encode(value) + Data("\n".utf8)
    }
}
