package import AloftControl
import AloftDomain
import AloftWire

/// Scoring of whole tables.
package struct ScoringRoutes: Sendable {
    private let service: ScoringService

    package init(service: ScoringService) { self.service = service }

    package func add(to routes: inout APIRoutes) {
        routes.on(ScoreTable.self) { call in
            let body = call.body
            guard let reference = ModelReference(body.model) else {
                throw DeploymentError.invalidReference(body.model)
            }
            let queued = try await service.score(
                .init(
                    model: reference, input: body.input, output: body.output, format: body.format,
                    partRows: body.partRows, priority: body.priority ?? 0),
                by: call.principal)
            return ScoreTable.Reply(
                job: JobView(queued.job), model: queued.version.model,
                version: queued.version.version, digest: queued.digest)
        }
    }
}
