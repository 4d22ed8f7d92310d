package import AloftDomain

/// Queues a job that scores a table with a registered version. Paths are the server's own: jobs run
/// there.
package enum ScoreTable: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        /// `NAME@ALIAS` or `NAME/VERSION`.
        package var model: String
        /// A file of rows (Parquet, CSV, JSON lines) or a folder of them; absolute.
        package var input: String
        /// A folder for the results; absolute. What is there of the same scoring is kept.
        package var output: String
        /// `parquet`, `csv` or `jsonl`; the input's where none is named.
        package var format: String?
        /// Rows of one file of results.
        package var partRows: Int?
        package var priority: Int?

        package init(
            model: String, input: String, output: String, format: String? = nil,
            partRows: Int? = nil, priority: Int? = nil
        ) {
            self.model = model
            self.input = input
            self.output = output
            self.format = format
            self.partRows = partRows
            self.priority = priority
        }
    }

    package struct Reply: Codable, Sendable, Equatable {
        package var job: JobView
        /// The version that was meant, and its file.
        package var model: String
        package var version: Int
        package var digest: ContentDigest

        package init(job: JobView, model: String, version: Int, digest: ContentDigest) {
            self.job = job
            self.model = model
            self.version = version
            self.digest = digest
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/scorings"
    package static let summary = "Queue a job that scores a file or folder of rows with a version"
}
