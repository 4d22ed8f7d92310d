package import AloftDomain

extension TrackingQueries {
    /// Notes that a run read these datasets. A dataset is one per experiment, name and digest;
    /// noting it again adds to its tags.
    package static func logDatasets(
        _ db: Transaction, _ run: RunHandle, _ inputs: [DatasetInput]
    ) throws {
        for input in inputs {
            let set = input.dataset
            try db.perform(
                """
                INSERT INTO dataset
                    (experiment, name, digest, sourceType, source, schema, profile)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (experiment, name, digest) DO NOTHING
                """,
                [
                    run.experiment, set.name, set.digest, set.sourceType, set.source, set.schema,
                    set.profile,
                ])
            let found: Int64? = try db.firstValue(
                "SELECT number FROM dataset WHERE experiment = ? AND name = ? AND digest = ?",
                [run.experiment, set.name, set.digest])
            guard let number = found else { continue }
            try db.perform(
                "INSERT INTO runDataset VALUES (?, ?) ON CONFLICT (run, dataset) DO NOTHING",
                [run.number, number])
            for tag in input.tags {
                try db.perform(
                    """
                    INSERT INTO runDatasetTag VALUES (?, ?, ?, ?)
                    ON CONFLICT (run, dataset, key) DO UPDATE SET value = excluded.value
                    """, [run.number, number, tag.key, tag.value])
            }
        }
    }

    package static func logModelInputs(
        _ db: Transaction, _ run: RunHandle, _ models: [LoggedModelID]
    ) throws {
        for model in models {
            try db.perform(
                "INSERT INTO runModelInput VALUES (?, ?) ON CONFLICT (run, model) DO NOTHING",
                [run.number, model.rawValue])
        }
    }

    package static func logModelOutputs(
        _ db: Transaction, _ run: RunHandle, _ outputs: [ModelOutput]
    ) throws {
        for output in outputs {
            try db.perform(
                """
                INSERT INTO runModelOutput VALUES (?, ?, ?)
                ON CONFLICT (run, model) DO UPDATE SET step = excluded.step
                """, [run.number, output.model.rawValue, output.step])
        }
    }

    /// The datasets that runs of these experiments read, with what for.
    package static func datasetSummaries(
        _ db: Transaction, _ experiments: [ExperimentID]
    ) throws -> [DatasetSummary] {
        try experiments.flatMap { experiment in
            try db.allRows(
                """
                SELECT DISTINCT d.name, d.digest, t.value AS context FROM dataset d
                JOIN runDataset r ON r.dataset = d.number
                LEFT JOIN runDatasetTag t ON t.run = r.run AND t.dataset = d.number
                    AND t.key = 'mlflow.data.context'
                WHERE d.experiment = ? ORDER BY d.name, d.digest, t.value LIMIT 1000
                """, [Int64(experiment.rawValue)]
            ).map {
                try DatasetSummary(
                    experiment: experiment, name: $0["name"], digest: $0["digest"],
                    context: $0["context"])
            }
        }
    }
}

package struct DatasetSummary: Sendable, Equatable {
    package var experiment: ExperimentID
    package var name: String
    package var digest: String
    package var context: String?
}
