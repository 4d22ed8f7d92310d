import AloftDomain
import Foundation

/// What a log-batch call holds, checked.
struct LogBatch: Sendable, Equatable {
    var run: RunID
    var metrics: [MetricSeries] = []
    var params: [NamedText] = []
    var tags: [NamedText] = []

    static let maxMetrics = 1000
    static let maxTexts = 100
    static let maxTogether = 1000

    /// - Throws: `ProtocolError` that names the first fault by its path.
    init(_ fields: Fields) throws {
        run = try FieldReader.plainRunID(fields)
        let metrics = try fields.objects("metrics")
        let params = try fields.objects("params")
        let tags = try fields.objects("tags")
        try Self.checkCounts(metrics.count, params.count, tags.count)
        self.metrics = Self.grouped(try metrics.map(FieldReader.metric))
        self.params = try params.map(FieldReader.param)
        self.tags = try tags.map(FieldReader.runTag)
        guard Set(self.params.map { ExactText($0.key) }).count == self.params.count else {
            throw ProtocolError.invalid(
                "Duplicate parameter keys have been submitted in one request.")
        }
    }

    fileprivate init(run: RunID, metrics: [MetricSeries]) {
        self.run = run
        self.metrics = metrics
    }

    private static func checkCounts(_ metrics: Int, _ params: Int, _ tags: Int) throws {
        for (name, count, limit) in [
            ("metrics", metrics, maxMetrics), ("params", params, maxTexts),
            ("tags", tags, maxTexts),
        ] where count > limit {
            throw ProtocolError.invalid(
                "A batch logging request can contain at most \(limit) \(name). Got \(count) \(name)."
            )
        }
        guard metrics + params + tags <= maxTogether else {
            throw ProtocolError.invalid(
                "A batch logging request can contain at most \(maxTogether) metrics, params and "
                    + "tags together. Got \(metrics + params + tags).")
        }
    }

    private struct SeriesName: Hashable {
        var key: ExactText
        var context: [ExactText]

        init(_ series: MetricSeries) {
            key = ExactText(series.key)
            context =
                series.context == .none
                ? []
                : [
                    series.context.model?.rawValue, series.context.datasetName,
                    series.context.datasetDigest,
                ].map { ExactText($0 ?? "") }
        }
    }

    private static func grouped(_ points: [MetricSeries]) -> [MetricSeries] {
        var indices: [SeriesName: Int] = [:]
        var result: [MetricSeries] = []
        for point in points {
            let name = SeriesName(point)
            if let index = indices[name] {
                result[index].points += point.points
            } else {
                indices[name] = result.count
                result.append(point)
            }
        }
        return result
    }
}

/// Reads the usual log-batch, of plain metrics, without a tree of values in between.
enum LogBatchReader {
    /// `nil` if the body is anything unusual; then `LogBatch.init` reads it and says what is wrong.
    static func read(_ bytes: UnsafeRawBufferPointer) -> LogBatch? {
        var reader = JSONReader(bytes)
        return try? batch(&reader)
    }

    private struct Unusual: Error {}

    private static func batch(_ reader: inout JSONReader) throws -> LogBatch {
        var run = ""
        var series = SeriesTable()
        try members(&reader) { name, reader in
            switch name {
            case "run_id", "run_uuid": run = try reader.string()
            case "metrics": try elements(&reader) { reader in try metric(&reader, &series) }
            case "params", "tags": try elements(&reader) { _ in throw Unusual() }
            default: throw Unusual()
            }
        }
        try reader.end()
        guard ValueRules.isRunID(run), series.count <= LogBatch.maxMetrics else { throw Unusual() }
        return LogBatch(run: RunID(run), metrics: series.series)
    }

    private static func metric(_ reader: inout JSONReader, _ series: inout SeriesTable) throws {
        var key: UnsafeRawBufferPointer?
        var value: Double?
        var timestamp: Int64?
        var step: Int64 = 0
        try members(&reader) { name, reader in
            switch name {
            case "key": key = try reader.plainString()
            case "value": value = try double(reader.number())
            case "timestamp": timestamp = try whole(reader.number())
            case "step": step = try whole(reader.number())
            default: throw Unusual()
            }
        }
        guard let key, let value, let timestamp, timestamp >= 0 else { throw Unusual() }
        try series.add(key, MetricPoint(value: value, timestamp: timestamp, step: step))
    }

    private static func double(_ number: JSONValue) throws -> Double {
        switch number {
        case .int(let whole): Double(whole)
        case .double(let value): value
        default: throw Unusual()
        }
    }

    private static func whole(_ number: JSONValue) throws -> Int64 {
        guard case .int(let whole) = number else { throw Unusual() }
        return whole
    }

    /// An object's members, each with its name; names with escapes are unusual.
    private static func members(
        _ reader: inout JSONReader, _ each: (StringName, inout JSONReader) throws -> Void
    ) throws {
        try reader.expect(UInt8(ascii: "{"))
        guard !reader.take(UInt8(ascii: "}")) else { return }
        while true {
            guard let name = try reader.plainString() else { throw Unusual() }
            try reader.expect(UInt8(ascii: ":"))
            try each(StringName(bytes: name), &reader)
            if reader.take(UInt8(ascii: "}")) { return }
            try reader.expect(UInt8(ascii: ","))
        }
    }

    private static func elements(
        _ reader: inout JSONReader, _ each: (inout JSONReader) throws -> Void
    ) throws {
        try reader.expect(UInt8(ascii: "["))
        guard !reader.take(UInt8(ascii: "]")) else { return }
        while true {
            try each(&reader)
            if reader.take(UInt8(ascii: "]")) { return }
            try reader.expect(UInt8(ascii: ","))
        }
    }
}

/// A member's name where it stands in the body, compared without making a string of it.
private struct StringName {
    let bytes: UnsafeRawBufferPointer

    static func ~= (pattern: StaticString, name: StringName) -> Bool {
        name.bytes.elementsEqual(
            UnsafeBufferPointer(start: pattern.utf8Start, count: pattern.utf8CodeUnitCount))
    }
}

/// Points by key, in the order of the keys' first appearance. Batches name few keys and name them in
/// turn, so the one after the last found is tried first.
private struct SeriesTable {
    private(set) var series: [MetricSeries] = []
    private(set) var count = 0
    private var indices: [ExactText: Int] = [:]
    private var next = 0

    mutating func add(_ key: UnsafeRawBufferPointer, _ point: MetricPoint) throws {
        count += 1
        guard count <= LogBatch.maxMetrics else { throw ProtocolError.missing("metrics") }
        let index = try find(key)
        series[index].points.append(point)
        next = index + 1 == series.count ? 0 : index + 1
    }

    private mutating func find(_ key: UnsafeRawBufferPointer) throws -> Int {
        if next < series.count, matches(next, key) { return next }
        let text = String(decoding: key, as: UTF8.self)
        if let index = indices[ExactText(text)] { return index }
        guard text.utf8.elementsEqual(key) else { throw ProtocolError.missing("key") }
        try ValueRules.checkKey(text, "metrics.key")
        indices[ExactText(text)] = series.count
        series.append(MetricSeries(key: text, points: []))
        return series.count - 1
    }

    private mutating func matches(_ index: Int, _ key: UnsafeRawBufferPointer) -> Bool {
        series[index].key.utf8.count == key.count
            && series[index].key.withUTF8 { $0.elementsEqual(key) }
    }
}
