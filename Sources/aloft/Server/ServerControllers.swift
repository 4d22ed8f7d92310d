import AloftControl
import Logging
import ServiceLifecycle

/// One of the control plane's loops; returns when the task is cancelled.
typealias Controller = @Sendable () async throws -> Void

extension ServerServices {
    /// Every controller, given the address at which jobs and gateways reach this server. A new area
    /// adds its lines here.
    func makeControllers(serverURL: String) throws -> [Controller] {
        let (time, logger) = (time, logger)
        var controllers: [Controller] = []
        let deployments = DeploymentController(
            store: store, time: time, chance: chance, logger: logger)
        controllers.append(deployments.run)
        if let listen = configuration.gateway {
            let child = GatewayChild(
                services: self, serverURL: serverURL, listen: listen,
                grpc: configuration.gatewayGRPC)
            controllers.append(child.run)
        }
        let jobServices = JobServices(services: self)
        let jobs = try jobServices.controller(serverURL: serverURL)
        controllers.append(jobs.run)
        let sweeps = SweepController(store: store, time: time, chance: chance, logger: logger)
        controllers.append(sweeps.run)
        let conversions = ConversionServices(services: self).controller(logs: jobServices.logs)
        controllers.append(conversions.run)
        let (archive, kept) = (predictions, configuration.retention)
        controllers.append { try await archive.run(kept) }
        let webhooks = WebhookController(
            store: store, sender: webhooks, time: time, chance: chance, logger: logger)
        controllers.append(webhooks.run)
        let reserve = reserve
        controllers.append { try await reserve.run(logger: logger) }
        let retention = Retention(store: store, time: time, logger: logger)
        controllers.append(retention.run)
        if let certificate {
            controllers.append { try await certificate.watch(time: time, logger: logger) }
        }
        return controllers
    }
}
