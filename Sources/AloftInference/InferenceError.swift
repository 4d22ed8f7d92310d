package import AloftDomain

/// Why a prediction could not be given.
package enum InferenceError: Refusal, Equatable {
    /// The body is not what the protocol says, at a byte counted from 0.
    case malformed(expected: String, offset: Int)
    case missingField(field: String, place: String)
    case unknownInput(name: String, known: [String])
    case repeatedInput(name: String)
    /// A member of the JSON that may stand there once.
    case repeatedMember(name: String)
    case missingInput(TensorSignature)
    case unknownOutput(name: String, known: [String])
    case wrongDatatype(input: TensorSignature, given: String)
    case wrongShape(input: TensorSignature, given: [Int64])
    /// `count` values where the shape says otherwise; `nil` when nobody counted to the end.
    case wrongCount(name: String, count: Int?, shape: [Int64])
    case ragged(name: String, shape: [Int64], offset: Int)
    case badElement(name: String, index: Int, datatype: Datatype)
    case badBinary(name: String, reason: String)
    /// The typed values of a gRPC message are not what the datatype means.
    case badContents(name: String, reason: String)
    /// A parameter that changes what is asked, and that nothing here acts on.
    case unsupportedParameter(name: String)
    /// A table or another body of MLflow scoring that cannot be mapped to the model's inputs.
    case badTable(reason: String)
    /// A Python model, or the library that it is made of, does not take these inputs.
    case refusedByModel(reason: String)
    /// A content type that MLflow scoring does not read.
    case wrongType(reason: String)
    /// The tensors of a compressed body would take more memory than may be made of it.
    case tooMuch(name: String, limitBytes: Int)

    case runtimeMissing(reason: String)
    case unsupportedModel(reason: String)
    /// The model's file cannot be loaded.
    case unloadable(reason: String)
    /// The model itself failed on this input.
    case modelFailed(reason: String)
    /// The model answered what cannot be sent.
    case badAnswer(reason: String)
    /// A Python worker ended, hung or is being started again.
    case workerFailed(reason: String)
    case deadlineExceeded(milliseconds: Int)
    case overloaded(queued: Int, retryAfterSeconds: Int)
    /// It waited for the model when the gateway had to end.
    case shuttingDown

    package var code: String {
        switch self {
        case .malformed: "malformed_request"
        case .missingField: "missing_field"
        case .unknownInput: "unknown_input"
        case .repeatedInput: "repeated_input"
        case .repeatedMember: "repeated_member"
        case .missingInput: "missing_input"
        case .unknownOutput: "unknown_output"
        case .wrongDatatype: "wrong_datatype"
        case .wrongShape: "wrong_shape"
        case .wrongCount: "wrong_count"
        case .ragged: "ragged_tensor"
        case .badElement: "bad_element"
        case .badBinary: "bad_binary_tensor"
        case .badContents: "bad_contents"
        case .unsupportedParameter: "unsupported_parameter"
        case .badTable: "bad_table"
        case .refusedByModel: "refused_by_model"
        case .wrongType: "wrong_type"
        case .tooMuch: "body_too_large"
        case .runtimeMissing: "runtime_missing"
        case .unsupportedModel: "unsupported_model"
        case .unloadable: "model_unloadable"
        case .modelFailed: "model_failed"
        case .badAnswer: "bad_answer"
        case .workerFailed: "worker_failed"
        case .deadlineExceeded: "deadline_exceeded"
        case .overloaded: "overloaded"
        case .shuttingDown: "shutting_down"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .malformed, .missingField, .unknownInput, .repeatedInput,
            .repeatedMember, .missingInput, .unknownOutput, .wrongDatatype, .wrongShape,
            .wrongCount, .ragged, .badElement,
            .badBinary, .badContents, .unsupportedParameter, .badTable, .refusedByModel, .wrongType,
            .modelFailed:
            .invalid
        case .badAnswer: .damaged
        case .tooMuch: .tooLarge
        case .unsupportedModel: .unsupported
        case .runtimeMissing, .unloadable, .workerFailed, .deadlineExceeded, .shuttingDown:
            .unavailable
        case .overloaded: .exhausted
        }
    }

    package var message: String {
        switch self {
        case .malformed(let expected, let offset):
            "The body is not a valid request: expected \(expected) at byte \(offset)."
        case .missingField(let field, let place):
            "\(place) has no \"\(field)\"."
        case .unknownInput(let name, let known):
            "The model has no input \"\(name)\". Its inputs: \(Self.list(known))."
                + Self.hint(name, known)
        case .repeatedInput(let name):
            "Input \"\(name)\" stands in the request twice."
        case .repeatedMember(let name):
            "The member \"\(name)\" is doubled: which of the two is meant cannot be told. Send it once."
        case .missingInput(let input):
            "Input \(input.description) is missing."
        case .unknownOutput(let name, let known):
            "The model has no output \"\(name)\". Its outputs: \(Self.list(known))."
                + Self.hint(name, known)
        case .wrongDatatype(let input, let given):
            "Input \"\(input.name)\" has datatype \(given); the model takes \(input.datatype.name)."
        case .wrongShape(let input, let given):
            "Input \"\(input.name)\" has shape \(TensorSignature.text(given)); the model takes "
                + "\(TensorSignature.text(input.shape ?? [])), where -1 is any size."
        case .wrongCount(let name, let count, let shape):
            "Input \"\(name)\" has "
                + (count.map { "\($0) values" } ?? "another number of values")
                + "; its shape \(TensorSignature.text(shape)) means \(Self.product(shape))."
        case .ragged(let name, let shape, let offset):
            "Input \"\(name)\" is ragged: at byte \(offset) the nesting of its data does not agree "
                + "with its shape \(TensorSignature.text(shape))."
        case .badElement(let name, let index, let datatype):
            "Input \"\(name)\": value \(index) is not \(Self.article(datatype))."
        case .badBinary(let name, let reason):
            "The binary data of input \"\(name)\" is wrong: \(reason)."
        case .badContents(let name, let reason):
            "The values of input \"\(name)\" are wrong: \(reason)."
        case .unsupportedParameter(let name):
            "Nothing here acts on the parameter \"\(name)\": send tensors in the request itself, and "
                + "ask for outputs as they are."
        case .badTable(let reason), .refusedByModel(let reason), .wrongType(let reason): reason
        case .tooMuch(let name, let limit):
            "Input \"\(name)\" would take more than the \(limit) bytes that a compressed body of this "
                + "length may become. Send it uncompressed."
        case .runtimeMissing(let reason): reason
        case .unsupportedModel(let reason): "The model cannot be served: \(reason)."
        case .unloadable(let reason): "The model cannot be loaded: \(reason)"
        case .modelFailed(let reason): "The model failed: \(reason)"
        case .badAnswer(let reason): "The model's answer cannot be sent: \(reason)"
        case .workerFailed(let reason): "The model's Python worker failed: \(reason)"
        case .deadlineExceeded(let milliseconds):
            "No answer within the deadline of \(milliseconds) ms."
        case .overloaded(let queued, let seconds):
            "Too many requests are waiting for this model (\(queued)). Try again in \(seconds) s."
        case .shuttingDown: "The gateway is shutting down and took no part of this request."
        }
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(20).map { "\"\($0)\"" }.joined(separator: ", ")
        return names.count > 20 ? shown + ", … (\(names.count) in all)" : shown
    }

    private static func hint(_ name: String, _ known: [String]) -> String {
        guard known.count > 1, name.utf8.count <= 100,
            let near = nearest(to: name, among: known)
        else { return "" }
        return " Did you mean \"\(near)\"?"
    }

    private static func product(_ shape: [Int64]) -> String {
        var product: Int64 = 1
        for dimension in shape {
            let (next, overflow) = product.multipliedReportingOverflow(by: dimension)
            if overflow { return "more than any body can hold" }
            product = next
        }
        return "\(product)"
    }

    private static func article(_ datatype: Datatype) -> String {
        switch datatype {
        case .bool: "a BOOL (true or false)"
        case .uint8, .uint16, .uint32, .uint64: "a \(datatype.name) (a whole number, not negative)"
        case .int8, .int16, .int32, .int64: "an \(datatype.name) (a whole number within its range)"
        case .bf16: "a BF16 (a number)"
        case .fp16, .fp32, .fp64: "an \(datatype.name) (a number)"
        case .bytes: "a BYTES element (a string)"
        }
    }
}
