import AloftArtifacts
import AloftDomain
import AloftStore
import Hummingbird
import NIOCore

/// A trace's data as one file, and the files attached to it, as pages of clients ask for them.
struct TraceFile: Sendable {
    let service: MLflowService

    private static let name = "traces.json"

    func answer(_ request: Request) async throws -> Response {
        let fields = QueryText.fields(request)
        guard let text = try FieldReader.text(fields, "request_id") else {
            throw ProtocolError(
                .badRequest, "Request must include the \"request_id\" query parameter.")
        }
        let id = TraceID(text)
        let (trace, spans) = try await service.store.read { db in
            (try TraceQueries.get(db, id), try TraceQueries.spans(db, of: id))
        }
        if let attachment = try FieldReader.text(fields, "path") {
            return try await file(of: trace, "attachments/" + attachment, request)
        }
        guard !spans.isEmpty else { return try await file(of: trace, Self.name, request) }
        let bytes = JSONWriter.document { writer in
            writer.list("spans", spans) { writer, span in writer.raw(SpanDocument.old(span)) }
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/octet-stream", .xContentTypeOptions: "nosniff",
                .contentDisposition: "attachment; \(FileAnswer.named(Self.name))",
            ], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// Clients before 3.0 keep the spans, and all of them attachments, where this tag says.
    private func file(
        of trace: TraceRecord, _ path: String, _ request: Request
    ) async throws -> Response {
        let key = "mlflow.artifactLocation"
        guard let uri = trace.tags.first(where: { $0.key == key })?.value else {
            throw ProtocolError(
                .resourceDoesNotExist, "The trace '\(trace.id)' has no tag '\(key)'.")
        }
        let place = try ArtifactRoot(uri).path(path)
        let artifacts = service.artifacts
        let file = try await BlockingWork.run { try artifacts.file(at: place) }
        return FileAnswer(file: file, name: place.components.last ?? Self.name).response(
            to: request)
    }
}
