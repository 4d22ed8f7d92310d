/// One value of a parameter: of a job's defaults, of a search space, of a trial.
package enum ParameterValue: Sendable, Hashable {
    case int(Int)
    case double(Double)
    case bool(Bool)
    case text(String)

    /// As written on a command line and as a run's parameter: `6`, `0.05`, `true`, `gini`.
    package var text: String {
        switch self {
        case .int(let value): String(value)
        case .double(let value): value.description
        case .bool(let value): value ? "true" : "false"
        case .text(let value): value
        }
    }
}

extension ParameterValue: Codable {
    private enum CodingKeys: String, CodingKey { case double }

    /// A JSON scalar, but `{"double": 3}` for a whole number that is a `double`: a JSON coder would
    /// give it back as an `int`.
    package init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: CodingKeys.self) {
            self = .double(try container.decode(Double.self, forKey: .double))
            return
        }
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .int(value)
        } else if let text = try? container.decode(String.self) {
            // Before numbers: a decoder may take the text "NaN" for one.
            self = .text(text)
        } else {
            self = .double(try container.decode(Double.self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        if case .double(let value) = self, value == value.rounded() {
            var container = encoder.container(keyedBy: CodingKeys.self)
            return try container.encode(value, forKey: .double)
        }
        var container = encoder.singleValueContainer()
        switch self {
        case .int(let value): try container.encode(value)
        case .double(let value): try container.encode(value)
        case .bool(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        }
    }
}
