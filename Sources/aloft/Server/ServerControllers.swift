import AloftControl
import Logging
import ServiceLifecycle

/// One of the control plane's loops.
struct Controller: Sendable {
    let name: String
    /// Returns when the task is cancelled.
    let run: @Sendable () async throws -> Void
}

extension ServerServices {
    /// Every controller, given the address at which jobs and gateways reach this server. A new area
    /// adds its lines here.
    func makeControllers(serverURL: String) throws -> [Controller] {
        var controllers: [Controller] = []
        let deployments = DeploymentController(
            store: store, time: time, chance: chance, logger: logger)
        controllers.append(Controller(name: "deployments", run: deployments.run))
        if let listen = configuration.gateway {
            let child = GatewayChild(
                services: self, serverURL: serverURL, listen: listen,
                grpc: configuration.gatewayGRPC)
            controllers.append(Controller(name: "gateway", run: child.run))
        }
        let jobServices = JobServices(services: self)
        let jobs = try jobServices.controller(serverURL: serverURL)
        controllers.append(Controller(name: "jobs", run: jobs.run))
        let sweeps = SweepController(store: store, time: time, chance: chance, logger: logger)
        controllers.append(Controller(name: "sweeps", run: sweeps.run))
        let conversions = ConversionServices(services: self).controller(logs: jobServices.logs)
        controllers.append(Controller(name: "conversions", run: conversions.run))
        let (archive, kept) = (predictions, configuration.retention)
        controllers.append(
            Controller(name: "predictions", run: { try await archive.run(kept) }))
        let webhooks = WebhookController(
            store: store, sender: webhooks, time: time, chance: chance, logger: logger)
        controllers.append(Controller(name: "webhooks", run: webhooks.run))
        controllers.append(Controller(name: "reserve", run: reserve.run))
        let retention = Retention(store: store, time: time, logger: logger)
        controllers.append(Controller(name: "retention", run: retention.run))
        if let certificate {
            let (time, logger) = (time, logger)
            controllers.append(
                Controller(
                    name: "certificate",
                    run: { try await certificate.watch(time: time, logger: logger) }))
        }
        return controllers
    }
}
