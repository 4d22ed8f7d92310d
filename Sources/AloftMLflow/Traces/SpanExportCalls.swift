import AloftDomain
import AloftStore
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOFoundationCompat
import SwiftProtobuf

/// Spans as OpenTelemetry exports them: `POST /v1/traces`, protobuf or JSON.
struct SpanExportCalls: Sendable {
    let service: MLflowService

    func add<Context>(to calls: CallRouter<Context>) {
        let bodies = calls.bodies
        calls.raw(.post, "/v1/traces", .begin) { request, context in
            try await export(request, bodies, by: context.principal, context.bearer)
        }
    }

    private func export(
        _ request: Request, _ bodies: LargeBodies, by who: Principal, _ bearer: Bearer
    ) async throws -> Response {
        guard let id = request.headers[.experimentID], !id.isEmpty else {
            throw ProtocolError.unprocessable(
                "The header x-mlflow-experiment-id is missing: it names the experiment that keeps "
                    + "the spans.")
        }
        let experiment = try FieldReader.experimentID(
            Fields(["experiment_id": .string(id)]))
        let run = request.headers[.runID].flatMap { $0.isEmpty ? nil : RunID($0) }
        let read = try Self.reader(request)
        let isPacked = try PackedBody.isPacked(request.headers[.contentEncoding])
        let body = try await request.body.collect(upTo: MLflowBody.largeLimit)
        let batches = try await bodies.read(body, isLarge: isPacked) { body in
            let body = isPacked ? try PackedBody.unpacked(body) : body
            return try SpanReader.batches(read(body))
        }
        let traces = batches.map(\.trace)
        try await service.access.check(bearer, .begin) { queries in
            var claims = [Claim(try queries.experiment(experiment))]
            claims += try traces.map { Claim(try queries.trace($0), .record) }
            if let run { claims.append(Claim(try queries.run(run), .record)) }
            return claims
        }
        try await service.store.write(as: .tracking) { db in
            try TraceQueries.logSpans(db, batches, experiment: experiment, run: run)
            for trace in traces {
                try AccessQueries.note(db, who, made: .trace, trace.rawValue)
            }
        }
        return Response(status: .ok, headers: [.contentType: "application/x-protobuf"])
    }

    private typealias Reader = @Sendable (ByteBuffer) throws -> Aloft_Otlp_ExportTraceServiceRequest

    /// What reads a body of the type that the request names.
    private static func reader(_ request: Request) throws -> Reader {
        let type = request.headers[.contentType] ?? ""
        let media = type.pieces(at: ";").first.map { $0.trimmingCharacters(in: .whitespaces) }
        switch media?.lowercased() {
        case "application/x-protobuf": return protobuf
        case "application/json": return json
        default:
            throw ProtocolError.invalid(
                "Invalid Content-Type: '\(type.prefix(100))'. Expected: "
                    + "application/x-protobuf or application/json")
        }
    }

    @Sendable static func protobuf(
        _ body: ByteBuffer
    ) throws -> Aloft_Otlp_ExportTraceServiceRequest {
        try body.withUnsafeReadableBytes { try SpanWeight.check($0) }
        do {
            return try Aloft_Otlp_ExportTraceServiceRequest(
                serializedBytes: Data(buffer: body, byteTransferStrategy: .noCopy))
        } catch is BinaryDecodingError {
            throw ProtocolError.invalid("Invalid OpenTelemetry format: this is no protobuf of it.")
        }
    }

    @Sendable static func json(
        _ body: ByteBuffer
    ) throws -> Aloft_Otlp_ExportTraceServiceRequest {
        do { return try SpanJSON.message(body) } catch is JSONDecodingError {
            throw ProtocolError.invalid("Invalid OpenTelemetry format: this is no JSON of it.")
        }
    }
}

extension HTTPField.Name {
    fileprivate static var experimentID: Self { Self("x-mlflow-experiment-id") ?? .server }
    fileprivate static var runID: Self { Self("x-mlflow-run-id") ?? .server }
}
