import AloftDomain
import AloftStore
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import SwiftProtobuf

/// Spans as OpenTelemetry exports them: `POST /v1/traces`, protobuf or JSON.
struct SpanExportCalls: Sendable {
    let service: MLflowService

    func add<Context>(to calls: CallRouter<Context>) {
        calls.raw(.post, "/v1/traces", .begin) { request, context in
            try await export(request, by: context.principal, context.bearer)
        }
    }

    private func export(
        _ request: Request, by who: Principal, _ bearer: Bearer
    ) async throws -> Response {
        guard let id = request.headers[.experimentID], !id.isEmpty else {
            throw ProtocolError.invalid(
                "The header x-mlflow-experiment-id is missing: it names the experiment that keeps "
                    + "the spans.")
        }
        let experiment = try FieldReader.experimentID(
            Fields(["experiment_id": .string(id)]))
        let run = request.headers[.runID].flatMap { $0.isEmpty ? nil : RunID($0) }
        let message = try await Self.message(request)
        let batches = try SpanReader.batches(message)
        let traces = batches.map(\.trace)
        try await service.access.check(bearer, .begin) { queries in
            var claims = [Claim(try queries.experiment(experiment))]
            claims += try traces.map { Claim(try queries.trace($0), .record) }
            if let run { claims.append(Claim(try queries.run(run), .record)) }
            return claims
        }
        try await service.store.write { db in
            try TraceQueries.logSpans(db, batches, experiment: experiment, run: run)
            for trace in traces {
                try AccessQueries.note(db, who, made: .trace, trace.rawValue)
            }
        }
        return Response(status: .ok, headers: [.contentType: "application/x-protobuf"])
    }

    private static func message(
        _ request: Request
    ) async throws -> Aloft_Otlp_ExportTraceServiceRequest {
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw ProtocolError.invalid(
                "Content-Encoding '\(encoding.prefix(50))' is not read; send the body as it is.")
        }
        let type = request.headers[.contentType] ?? ""
        let media = type.pieces(at: ";").first.map { $0.trimmingCharacters(in: .whitespaces) }
        let body = try await request.body.collect(upTo: MLflowBody.limit)
        do {
            switch media?.lowercased() {
            case "application/x-protobuf":
                return try Aloft_Otlp_ExportTraceServiceRequest(
                    serializedBytes: Data(body.readableBytesView))
            case "application/json":
                return try SpanJSON.message(body)
            default:
                throw ProtocolError.invalid(
                    "Invalid Content-Type: '\(type.prefix(100))'. Expected: "
                        + "application/x-protobuf or application/json")
            }
        } catch is BinaryDecodingError {
            throw ProtocolError.invalid("Invalid OpenTelemetry format: this is no protobuf of it.")
        } catch is JSONDecodingError {
            throw ProtocolError.invalid("Invalid OpenTelemetry format: this is no JSON of it.")
        }
    }
}

extension HTTPField.Name {
    fileprivate static var experimentID: Self { Self("x-mlflow-experiment-id") ?? .server }
    fileprivate static var runID: Self { Self("x-mlflow-run-id") ?? .server }
}

/// OpenTelemetry's JSON: as protobuf's, but ids are hexadecimal digits instead of base64.
enum SpanJSON {
    static func message(
        _ body: ByteBuffer
    ) throws -> Aloft_Otlp_ExportTraceServiceRequest {
        let fields = try MLflowBody.fields(body)
        var writer = JSONWriter()
        writer.value(withBase64Ids(.object(fields.all)))
        var options = JSONDecodingOptions()
        options.ignoreUnknownFields = true
        return try Aloft_Otlp_ExportTraceServiceRequest(
            jsonUTF8Bytes: writer.bytes, options: options)
    }

    private static func withBase64Ids(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let items): return .array(items.map(withBase64Ids))
        case .object(let members):
            return .object(
                Dictionary(
                    members.map { name, member in
                        let isID = ["traceId", "spanId", "parentSpanId"].contains(name)
                        guard isID, case .string(let digits) = member else {
                            return (name, withBase64Ids(member))
                        }
                        return (name, .string(base64(digits)))
                    }, uniquingKeysWith: { _, last in last }))
        case .null, .bool, .int, .double, .string: return value
        }
    }

    /// Empty, which is refused later, if these are no hexadecimal digits.
    private static func base64(_ digits: String) -> String {
        let characters = Array(digits.utf8)
        guard characters.count.isMultiple(of: 2), characters.count <= 64 else { return "" }
        var bytes = Data()
        for index in stride(from: 0, to: characters.count, by: 2) {
            let pair = String(decoding: characters[index...index + 1], as: UTF8.self)
            guard let byte = UInt8(pair, radix: 16) else { return "" }
            bytes.append(byte)
        }
        return bytes.base64EncodedString()
    }
}
