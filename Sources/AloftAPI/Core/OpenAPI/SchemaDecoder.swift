import AloftDomain

/// Answers every question of a type that decodes itself with a made-up value, and notes the question.
final class SchemaDecoder: Decoder {
    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]
    let recording: SchemaRecording
    /// What a string is answered with.
    let example: String
    var notes = SchemaNotes()

    init(recording: SchemaRecording, example: String) {
        self.recording = recording
        self.example = example
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        notes.isObject = true
        return KeyedDecodingContainer(KeyedQuestions<Key>(decoder: self))
    }

    func unkeyedContainer() -> any UnkeyedDecodingContainer { UnkeyedQuestions(decoder: self) }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        SingleQuestion(decoder: self)
    }

    /// The schema of `T`, and a value of it.
    func answer<T: Decodable>(_ type: T.Type) -> (schema: JSONValue, value: T?) {
        switch type {
        case is String.Type: return (.type("string"), example as? T)
        case is Bool.Type: return (.type("boolean"), false as? T)
        case is Double.Type: return (.type("number"), 0.0 as? T)
        case is Float.Type: return (.type("number"), Float(0) as? T)
        default: break
        }
        if let integer = type as? any FixedWidthInteger.Type {
            return (.type("integer"), integer.init(0) as? T)
        }
        let found = recording.describe(type)
        return (found.schema, found.value as? T)
    }

    func cannotMake(_ type: Any.Type) -> DecodingError {
        .dataCorrupted(
            .init(codingPath: [], debugDescription: "no value of \(type) can be made up"))
    }
}

/// Notes each key that is asked for.
private struct KeyedQuestions<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: SchemaDecoder
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { [] }

    func contains(_ key: Key) -> Bool { true }

    func decodeNil(forKey key: Key) -> Bool { true }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        let answer = decoder.answer(type)
        decoder.notes.note(key.stringValue, answer.schema, isRequired: true)
        guard let value = answer.value else { throw decoder.cannotMake(type) }
        return value
    }

    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) -> T? {
        decoder.notes.note(key.stringValue, decoder.answer(type).schema, isRequired: false)
        return nil
    }

    // The library answers these by themselves for the basic types unless they are written here.
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) -> Bool? { note(type, key) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) -> String? { note(type, key) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) -> Double? { note(type, key) }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) -> Float? { note(type, key) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) -> Int? { note(type, key) }
    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) -> Int8? { note(type, key) }
    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) -> Int16? { note(type, key) }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) -> Int32? { note(type, key) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) -> Int64? { note(type, key) }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) -> UInt? { note(type, key) }
    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) -> UInt8? { note(type, key) }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) -> UInt16? { note(type, key) }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) -> UInt32? { note(type, key) }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) -> UInt64? { note(type, key) }

    private func note<T: Decodable>(_ type: T.Type, _ key: Key) -> T? {
        decoder.notes.note(key.stringValue, decoder.answer(type).schema, isRequired: false)
        return nil
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedDecodingContainer<Nested> {
        decoder.notes.note(key.stringValue, .type("object"), isRequired: true)
        let inner = SchemaDecoder(recording: decoder.recording, example: decoder.example)
        return inner.container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedDecodingContainer {
        decoder.notes.note(key.stringValue, .type("array"), isRequired: true)
        return UnkeyedQuestions(decoder: decoder)
    }

    func superDecoder() -> any Decoder { decoder }
    func superDecoder(forKey key: Key) -> any Decoder { decoder }
}

/// A list without elements.
private struct UnkeyedQuestions: UnkeyedDecodingContainer {
    let decoder: SchemaDecoder
    var codingPath: [any CodingKey] { [] }
    var count: Int? { 0 }
    var isAtEnd: Bool { true }
    var currentIndex: Int { 0 }

    init(decoder: SchemaDecoder) {
        self.decoder = decoder
        decoder.notes.single = .type("array")
    }

    func decodeNil() -> Bool { false }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let answer = decoder.answer(type)
        guard let value = answer.value else { throw decoder.cannotMake(type) }
        return value
    }

    func nestedContainer<Key: CodingKey>(
        keyedBy type: Key.Type
    ) -> KeyedDecodingContainer<Key> { KeyedDecodingContainer(KeyedQuestions(decoder: decoder)) }

    func nestedUnkeyedContainer() -> any UnkeyedDecodingContainer { self }

    func superDecoder() -> any Decoder { decoder }
}

/// A value that stands alone.
private struct SingleQuestion: SingleValueDecodingContainer {
    let decoder: SchemaDecoder
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool { false }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let answer = decoder.answer(type)
        decoder.notes.single = answer.schema
        guard let value = answer.value else { throw decoder.cannotMake(type) }
        return value
    }
}
