/// What a converted model is and how to call it; written by the converter (`python/`), stored with
/// the model version, read by the gateway. JSON keys are snake_case.
package struct ServableManifest: Codable, Sendable, Hashable {
    package enum Runtime: String, Codable, Sendable, CaseIterable { case onnx, python }

    /// One named tensor. `shape` has -1 for a dimension that varies; the first is the batch.
    package struct Tensor: Codable, Sendable, Hashable {
        package var name: String
        /// Open Inference Protocol: BOOL, UINT8…UINT64, INT8…INT64, FP16, FP32, FP64, BYTES.
        package var datatype: String
        package var shape: [Int]

        package init(name: String, datatype: String, shape: [Int]) {
            self.name = name
            self.datatype = datatype
            self.shape = shape
        }
    }

    /// How MLflow scoring answers for an ONNX file that was logged as such: `outputs`, an object of all by
    /// name; `rows`, the same, but a table of them to a table.
    package enum PredictAll: String, Codable, Sendable, CaseIterable { case outputs, rows }

    /// What the original refuses, so that the converted model is not asked either.
    package struct Refused: Codable, Sendable, Hashable {
        /// `missing`: no value. `beyond`: farther from zero than `limit`. `unknown`: a text that is none
        /// of `known`.
        package enum Values: String, Codable, Sendable, CaseIterable {
            case missing, beyond, unknown
        }

        package var input: String
        /// Places of the columns within the input; absent for all.
        package var columns: [Int]?
        package var values: Values
        package var limit: Double?
        package var known: [String]?
        /// What the original says; `{value}` stands for the value.
        package var message: String

        package init(
            input: String, columns: [Int]? = nil, values: Values, limit: Double? = nil,
            known: [String]? = nil, message: String
        ) {
            self.input = input
            self.columns = columns
            self.values = values
            self.limit = limit
            self.known = known
            self.message = message
        }
    }

    /// On which rows original and conversion were compared.
    package struct Compared: Codable, Sendable, Hashable {
        /// SHA-256 of the rows: the same model is always compared on the same ones.
        package var digest: String
        /// How many of them the original refuses, as does what is served.
        package var refused: Int
        /// What was covered, a phrase each.
        package var covered: [String]
    }

    /// Whether rows of several callers may go into one call of a Python model: answered together each
    /// gets what it gets apart, as tried by the conversion.
    package struct Batch: Codable, Sendable, Hashable {
        package var mode: ExecutionRules.Batch
        /// How many rows were asked together and apart.
        package var rows: Int
        /// Why not, where the mode is `off`.
        package var reason: String?

        package init(mode: ExecutionRules.Batch, rows: Int, reason: String? = nil) {
            self.mode = mode
            self.rows = rows
            self.reason = reason
        }
    }

    package var runtime: Runtime
    /// What is run takes.
    package var inputs: [Tensor]
    package var outputs: [Tensor]
    /// What clients send: the inputs of the model's signature, however the model is run. Absent where
    /// those are `inputs`.
    package var publicInputs: [Tensor]?
    /// Names of the columns of a table, in order, where a model was trained on a table: either one
    /// input of shape [-1, columns.count] takes them all, or each column is an input of its own.
    package var columns: [String]?
    /// The output that `predict` of the original model answers with (MLflow scoring returns it).
    package var predictOutput: String?
    /// Where `predict` answers with all outputs by their names.
    package var predictAll: PredictAll?
    /// The largest difference between the original's outputs and the converted model's over
    /// `parityRows` rows: |a - b| / max(1, |a|), so absolute for probabilities and other values up
    /// to one, relative beyond. Absent where nothing was converted.
    package var parity: Double?
    package var parityRows: Int?
    package var compared: Compared?
    /// What stands for a text that is missing in BYTES inputs, other than the empty text; absent where
    /// the two are one.
    package var missingText: String?
    package var refuses: [Refused]?
    /// Why the model is served by a Python worker; absent for ONNX.
    package var reason: String?
    /// Absent for ONNX, and where a conversion before this was recorded.
    package var batch: Batch?
    /// One Open Inference Protocol request body with a few real rows, used to warm a revision up and
    /// to measure its latency.
    package var example: JSONValue?

    package init(
        runtime: Runtime, inputs: [Tensor], outputs: [Tensor], publicInputs: [Tensor]? = nil,
        columns: [String]? = nil, predictOutput: String? = nil, predictAll: PredictAll? = nil,
        parity: Double? = nil, parityRows: Int? = nil,
        missingText: String? = nil, refuses: [Refused]? = nil, reason: String? = nil,
        batch: Batch? = nil, example: JSONValue? = nil
    ) {
        self.runtime = runtime
        self.inputs = inputs
        self.outputs = outputs
        self.publicInputs = publicInputs
        self.columns = columns
        self.predictOutput = predictOutput
        self.predictAll = predictAll
        self.parity = parity
        self.parityRows = parityRows
        self.missingText = missingText
        self.refuses = refuses
        self.reason = reason
        self.batch = batch
        self.example = example
    }

    private enum CodingKeys: String, CodingKey {
        case runtime, inputs, outputs, columns, parity, compared, refuses, reason, batch, example
        case publicInputs = "public_inputs"
        case predictOutput = "predict_output"
        case predictAll = "predict_all"
        case parityRows = "parity_rows"
        case missingText = "missing_text"
    }
}
