import AloftDomain
import AloftStore
import AloftWire

/// What an import may bring. The other tracker's own limits are the same; these keep out what no
/// tracker would hold.
enum ImportRules {
    static func check(key: String) throws {
        guard (1...1000).contains(key.utf8.count), !key.utf8.contains(0) else {
            throw ImportError.invalid(
                what: "key \(key.prefix(100))", reason: "expected 1 to 1000 bytes")
        }
    }

    static func check(id: String) throws {
        let isPlain = id.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
        guard (1...256).contains(id.utf8.count), isPlain, id.first != "-", id.first != "_" else {
            throw ImportError.invalid(
                what: "id \(id.prefix(100))", reason: "expected letters, digits, - and _")
        }
    }

    static func check(name: String, of what: String) throws {
        guard (1...500).contains(name.unicodeScalars.count) else {
            throw ImportError.invalid(
                what: "\(what) \(name.prefix(100))",
                reason: "expected a name of 1 to 500 characters")
        }
    }
}

extension CheckImports.State {
    /// `nil` for what is new.
    init?(_ state: ImportQueries.State, _ fingerprint: String) {
        switch state {
        case .unknown: return nil
        case .taken(let known): self = known == fingerprint ? .same : .changed
        case .deleted: self = .deleted
        case .foreign: self = .foreign
        }
    }
}

extension IncomingExperiment {
    init(_ body: ImportExperiment.Body) {
        let from = body.experiment
        self.init(
            source: body.source, id: from.id, name: from.name,
            artifactLocation: body.keepsLocation ? from.artifactLocation : "",
            createdAt: from.createdAt, updatedAt: from.updatedAt, tags: from.tags)
    }
}

extension IncomingRun {
    init(_ header: ImportRun.Header) throws {
        let from = header.run
        try ImportRules.check(id: from.id.rawValue)
        for text in from.params + from.tags { try ImportRules.check(key: text.key) }
        self.init(
            source: header.source, fingerprint: header.fingerprint, id: from.id,
            experiment: ExperimentID(from.experiment), name: from.name, user: from.user,
            status: from.status, startTime: from.startTime, endTime: from.endTime,
            artifactURI: header.keepsArtifacts ? from.artifactURI : nil, params: from.params,
            tags: from.tags)
        datasets = from.datasets.map { set in
            DatasetInput(
                dataset: DatasetRecord(
                    name: set.name, digest: set.digest, sourceType: set.sourceType,
                    source: set.source, schema: set.schema, profile: set.profile), tags: set.tags)
        }
        modelInputs = from.modelInputs
        modelOutputs = from.modelOutputs.map { ModelOutput(model: $0.model, step: $0.step) }
    }
}

extension IncomingLoggedModel {
    init(_ body: ImportLoggedModel.Body) throws {
        let from = body.model
        try ImportRules.check(id: from.id.rawValue)
        for metric in from.metrics { try ImportRules.check(key: metric.key) }
        let metrics = from.metrics.map { metric in
            Metric(
                key: metric.key,
                point: MetricPoint(
                    value: metric.value, timestamp: metric.timestamp, step: metric.step),
                run: metric.run,
                context: MetricContext(
                    model: from.id, datasetName: metric.datasetName,
                    datasetDigest: metric.datasetDigest))
        }
        self.init(
            source: body.source, fingerprint: body.fingerprint,
            model: NewLoggedModel(
                id: from.id, experiment: ExperimentID(from.experiment), name: from.name,
                modelType: from.modelType, sourceRun: from.sourceRun, params: from.params,
                tags: from.tags),
            artifactURI: body.keepsArtifacts ? from.artifactURI : nil, status: from.status,
            statusMessage: from.statusMessage, createdAt: from.createdAt,
            updatedAt: from.updatedAt, metrics: metrics)
    }
}

extension IncomingModel {
    init(_ body: ImportModel.Body) throws {
        let from = body.model
        try ImportRules.check(name: from.name, of: "model")
        let versions = try from.versions.map { version in
            guard version.version >= 1, let stage = ModelStage(rawValue: version.stage) else {
                throw ImportError.invalid(
                    what: "version \(version.version) of \(from.name)",
                    reason: "expected a number from 1 and a stage of "
                        + ModelStage.allCases.map(\.rawValue).joined(separator: ", "))
            }
            var record = ModelVersionRecord(
                modelNumber: 0, name: from.name, version: version.version, stage: stage,
                description: version.description, source: version.source, run: version.run,
                runLink: version.runLink, loggedModel: version.loggedModel, user: version.user,
                createdAt: version.createdAt, updatedAt: version.updatedAt)
            record.tags = version.tags
            return record
        }
        self.init(
            source: body.source, name: from.name, description: from.description,
            createdAt: from.createdAt, updatedAt: from.updatedAt, tags: from.tags,
            aliases: from.aliases.map { ModelAlias(alias: $0.alias, version: $0.version) },
            versions: versions)
    }
}
