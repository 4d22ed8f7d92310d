import AloftDomain
import AloftWire

/// What a tracking server answers, as far as it is taken along.
enum MLflowMessages {
    struct Pair: Decodable {
        var key: String
        var value: String?

        var text: NamedText { NamedText(key: key, value: value ?? "") }
    }

    /// A number, or a text that says one: NaN comes as a string.
    struct Number: Decodable {
        var value: Double

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Double.self) {
                value = number
                return
            }
            switch try container.decode(String.self) {
            case "NaN": value = .nan
            case "Infinity": value = .infinity
            case "-Infinity": value = -.infinity
            case let text: value = Double(text) ?? .nan
            }
        }
    }

    /// The items of a list that can be read, and what the others are called.
    struct Readable<Item: Decodable>: Decodable {
        var items: [Item] = []
        var unreadable: [String] = []

        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            while !list.isAtEnd {
                if let item = try? list.decode(Item.self) {
                    items.append(item)
                } else {
                    unreadable.append(Self.name(of: try list.decode(JSONValue.self)))
                }
            }
        }

        private static func name(of item: JSONValue) -> String {
            for part in [item, item["info"] ?? .null] {
                for key in ["run_id", "model_id", "experiment_id", "name", "version", "path"] {
                    if let text = part[key]?.stringValue { return "\(key) '\(text.prefix(100))'" }
                }
            }
            return "an item without a name"
        }
    }

    struct Experiments: Decodable {
        struct Item: Decodable {
            var experiment_id: String
            var name: String
            var artifact_location: String?
            var creation_time: Int64?
            var last_update_time: Int64?
            var tags: [Pair]?
        }
        var experiments: Readable<Item>?
        var next_page_token: String?
    }

    struct Metric: Decodable {
        var key: String
        var value: Number
        var timestamp: Int64?
        var step: Int64?
        var run_id: String?
        var dataset_name: String?
        var dataset_digest: String?
    }

    struct Runs: Decodable {
        struct Info: Decodable {
            var run_id: String
            var run_name: String?
            var experiment_id: String
            var user_id: String?
            var status: String
            var start_time: Int64?
            var end_time: Int64?
            var artifact_uri: String?
        }
        struct Values: Decodable {
            var metrics: [Metric]?
            var params: [Pair]?
            var tags: [Pair]?
        }
        struct Dataset: Decodable {
            var name: String
            var digest: String
            var source_type: String?
            var source: String?
            var schema: String?
            var profile: String?
        }
        struct DatasetInput: Decodable {
            var tags: [Pair]?
            var dataset: Dataset?
        }
        struct ModelLink: Decodable {
            var model_id: String
            var step: Int64?
        }
        struct Inputs: Decodable {
            var dataset_inputs: [DatasetInput]?
            var model_inputs: [ModelLink]?
        }
        struct Outputs: Decodable { var model_outputs: [ModelLink]? }
        struct Item: Decodable {
            var info: Info
            var data: Values?
            var inputs: Inputs?
            var outputs: Outputs?
        }
        var runs: Readable<Item>?
        var next_page_token: String?
    }

    struct History: Decodable {
        var metrics: [Metric]?
        var next_page_token: String?
    }

    struct LoggedModels: Decodable {
        struct Info: Decodable {
            var model_id: String
            var experiment_id: String
            var name: String?
            var creation_timestamp_ms: Int64?
            var last_updated_timestamp_ms: Int64?
            var artifact_uri: String?
            var status: String?
            var model_type: String?
            var source_run_id: String?
            var status_message: String?
            var tags: [Pair]?
        }
        struct Values: Decodable {
            var params: [Pair]?
            var metrics: [Metric]?
        }
        struct Item: Decodable {
            var info: Info
            var data: Values?
        }
        var models: Readable<Item>?
        var next_page_token: String?
    }

    struct Version: Decodable {
        var version: String
        var creation_timestamp: Int64?
        var last_updated_timestamp: Int64?
        var current_stage: String?
        var description: String?
        var source: String?
        var run_id: String?
        var run_link: String?
        var model_id: String?
        var user_id: String?
        var tags: [Pair]?
    }

    struct Model: Decodable {
        struct Alias: Decodable {
            var alias: String
            var version: String
        }
        var name: String
        var creation_timestamp: Int64?
        var last_updated_timestamp: Int64?
        var description: String?
        var tags: [Pair]?
        var aliases: [Alias]?
    }

    struct Models: Decodable {
        var registered_models: Readable<Model>?
        var next_page_token: String?
    }

    struct OneModel: Decodable { var registered_model: Model }

    struct Versions: Decodable {
        var model_versions: Readable<Version>?
        var next_page_token: String?
    }

    struct Files: Decodable {
        struct Item: Decodable {
            var path: String
            var is_dir: Bool?
            var file_size: Int64?
        }
        var files: [Item]?
    }
}
