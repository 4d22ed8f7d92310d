import Logging

/// A log on standard error whose lines are what they seem: texts of strangers, which stand in its
/// metadata, make no line of their own and move no cursor.
struct PrintableLogHandler: LogHandler {
    private var output: StreamLogHandler

    init(label: String) { output = StreamLogHandler.standardError(label: label) }

    var logLevel: Logger.Level {
        get { output.logLevel }
        set { output.logLevel = newValue }
    }

    var metadata: Logger.Metadata {
        get { output.metadata }
        set { output.metadata = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { output[metadataKey: key] }
        set { output[metadataKey: key] = newValue }
    }

    /// Made printable here and not where it is set: each request sets some, and few write a line.
    func log(event: LogEvent) {
        var event = event
        event.metadata = event.metadata?.mapValues(Self.printable)
        var output = output
        output.metadata = output.metadata.mapValues(Self.printable)
        output.log(event: event)
    }

    private static func printable(_ value: Logger.Metadata.Value) -> Logger.Metadata.Value {
        switch value {
        case .string(let text): .string(PrintableText.line(text))
        case .stringConvertible(let value): .string(PrintableText.line(value.description))
        case .array(let values): .array(values.map(printable))
        case .dictionary(let values): .dictionary(values.mapValues(printable))
        }
    }
}
