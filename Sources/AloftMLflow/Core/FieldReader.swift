import AloftDomain
import AloftStore

/// Fields that many calls share.
enum FieldReader {
    static func experimentID(_ fields: Fields) throws -> ExperimentID {
        try experimentID(fields.string("experiment_id"))
    }

    private static func experimentID(_ id: String) throws -> ExperimentID {
        guard Int64(id) != nil else {
            throw ProtocolError.invalid(
                "Invalid experiment ID '\(id.prefix(100))'. Experiment ID must be a valid integer.")
        }
        return ExperimentID(id)
    }

    /// A list of experiments' ids.
    static func experimentIDs(_ fields: Fields) throws -> [ExperimentID] {
        try fields.strings("experiment_ids").map(experimentID)
    }

    /// The run's id under either of its names. What can be no id is none of a run.
    static func runID(_ fields: Fields) throws -> RunID {
        let id = try anyRunID(fields)
        guard ValueRules.isRunID(id.rawValue) else { throw TrackingError.runNotFound(id.rawValue) }
        return id
    }

    /// As `runID`, for calls that hold what can be none for a wrong value.
    static func plainRunID(_ fields: Fields) throws -> RunID {
        let id = try anyRunID(fields)
        guard ValueRules.isRunID(id.rawValue) else {
            throw ProtocolError.invalidValue("\"\(id.rawValue.prefix(100))\"", "run_id")
        }
        return id
    }

    /// As `runID`, whatever the text.
    static func anyRunID(_ fields: Fields) throws -> RunID {
        let id = try fields.optionalString("run_id") ?? ""
        let text = try id.isEmpty ? fields.optionalString("run_uuid") ?? "" : id
        guard !text.isEmpty else { throw ProtocolError.missing("run_id") }
        return RunID(text)
    }

    /// `nil` for both stages.
    static func stage(_ fields: Fields, _ name: String) throws -> LifecycleStage? {
        let text = try fields.value(name) == .int(1) ? nil : fields.optionalString(name)
        switch text?.uppercased() {
        case nil, "", "ACTIVE_ONLY": return .active
        case "DELETED_ONLY": return .deleted
        case "ALL": return nil
        case .some(let other): throw ProtocolError.invalidValue("\"\(other)\"", name)
        }
    }

    /// One tag of an experiment or a run; too long a value is refused, or cut with `cutTo`.
    ///
    /// - Parameter isNew: what a thing is made with may have any names; later ones are checked.
    static func tag(
        _ fields: Fields, maxValue: Int = .max, cutTo: Int = .max, isNew: Bool = false,
        kind: String? = nil
    ) throws -> NamedText {
        let key = try fields.string("key")
        if isNew {
            try ValueRules.checkLength(key, fields.path(of: "key"))
        } else {
            try ValueRules.checkKey(key, fields.path(of: "key"), kind: kind)
        }
        let value = try fields.optionalString("value") ?? ""
        guard value.utf8.count <= maxValue || value.unicodeScalars.count <= maxValue else {
            throw ProtocolError.tooLong(fields.path(of: "value"), limit: maxValue)
        }
        return NamedText(key: key, value: ValueRules.cut(value, to: cutTo))
    }

    static func tags(
        _ fields: Fields, _ name: String, maxValue: Int
    ) throws -> [NamedText] {
        try fields.objects(name).map { try tag($0, maxValue: maxValue) }
    }

    /// The tags that a run or a logged model is made with.
    static func newTags(_ fields: Fields, _ name: String) throws -> [NamedText] {
        try fields.objects(name).map {
            try ValueRules.stored(try tag($0, isNew: true), $0.path(of: "value"))
        }
    }

    static func runTag(_ fields: Fields) throws -> NamedText {
        try ValueRules.stored(try tag(fields), fields.path(of: "value"))
    }

    static func param(_ fields: Fields) throws -> NamedText {
        try tag(fields, cutTo: ValueRules.maxParamValue, kind: "Param key")
    }

    /// A param of a logged model.
    static func newParam(_ fields: Fields) throws -> NamedText {
        try tag(fields, cutTo: ValueRules.maxParamValue, isNew: true)
    }

    static func metric(_ fields: Fields) throws -> MetricSeries {
        let key = try fields.string("key")
        // Clients know it by this name.
        try ValueRules.checkKey(key, fields.path(of: "name"), kind: "Metric name")
        let value = try fields.double("value")
        let timestamp = try fields.int("timestamp")
        guard timestamp >= 0 else {
            throw ProtocolError.invalidValue("\(timestamp)", fields.path(of: "timestamp"))
        }
        let step = try fields.optionalInt("step") ?? 0
        let context = MetricContext(
            model: try text(fields, "model_id").map { LoggedModelID($0) },
            datasetName: try text(fields, "dataset_name"),
            datasetDigest: try text(fields, "dataset_digest"))
        return MetricSeries(
            key: key, context: context,
            points: [MetricPoint(value: value, timestamp: timestamp, step: step)])
    }

    static func runStatus(_ fields: Fields) throws -> RunStatus? {
        switch fields.value("status") {
        case nil: return nil
        case .int(let number):
            let inOrder: [RunStatus] = [.running, .scheduled, .finished, .failed, .killed]
            guard (1...5).contains(number) else {
                throw ProtocolError.invalidValue("\(number)", "status")
            }
            // traps: held by the guard above
            return inOrder[Int(number) - 1]
        case .some:
            let text = try fields.string("status")
            guard let status = RunStatus(rawValue: text) else {
                throw ProtocolError.invalidValue("\"\(text.prefix(100))\"", "status")
            }
            return status
        }
    }

    /// `nil` if missing or empty.
    static func text(_ fields: Fields, _ name: String) throws -> String? {
        guard let text = try fields.optionalString(name), !text.isEmpty else { return nil }
        return text
    }
}

/// One page of results: `found` holds one more than `limit` where there are more.
struct Page<Item> {
    private let items: ArraySlice<Item>
    private let nextToken: String?

    init(_ found: [Item], limit: Int, offset: Int) {
        items = found.prefix(limit)
        nextToken = found.count > limit ? PageToken.make(offset: offset + limit) : nil
    }

    init(_ page: SearchPage<Item>) where Item: Sendable {
        items = page.items[...]
        nextToken = page.next.map(PageToken.make)
    }

    func document(
        _ name: StaticString, _ each: (inout JSONWriter, Item) -> Void
    ) -> [UInt8] {
        JSONWriter.document { writer in
            writer.list(name, items, each)
            writer.member("next_page_token", nextToken)
        }
    }
}
