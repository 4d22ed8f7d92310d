import AloftAPI
import AloftControl
import AloftEdge
import AloftMLflow
import AloftStore
import Foundation
import Hummingbird

extension ServerServices {
    /// What answers requests, below the path at which a proxy shows the server.
    func makeResponder() -> BasePathResponder<RouterResponder<AloftRequestContext>> {
        BasePathResponder(
            makeRouter().buildResponder(), base: configuration.basePath,
            carried: MLflowPaths.carried)
    }

    /// Every route of the control plane. A new area adds its lines here.
    func makeRouter() -> Router<AloftRequestContext> {
        let router = Router(
            context: AloftRequestContext.self, options: .autoGenerateHeadEndpoints)
        let webFolder = WebFolder.find(from: ProgramPath.current)
        let attempts = TokenAttempts()
        router.add(middleware: makeFront(webFolder: webFolder, attempts: attempts))

        var routes = APIRoutes(router: router, store: store)
        TokenRoutes(store: store, time: time, chance: chance).add(to: &routes)
        EventRoutes(store: store).add(to: &routes)
        BlobRoutes(blobs: blobs).add(to: &routes)
        let jobs = JobServices(services: self)
        JobRoutes(
            store: store, launcher: jobs.launcher, logs: jobs.logs, queue: jobs.queue, time: time
        ).add(to: &routes)
        ProjectFileRoutes(
            store: store, time: time, sealer: jobs.sealer, hasBlob: jobs.hasBlob
        ).add(to: &routes)
        SweepRoutes(
            store: store,
            starter: SweepStarter(
                store: store, time: time, chance: chance, sealer: jobs.sealer)
        ).add(to: &routes)
        DeploymentRoutes(store: store, time: time, chance: chance).add(to: &routes)
        ServableRoutes(store: store, blobs: blobs, time: time).add(to: &routes)
        let traffic = TrafficRecorder()
        RevisionRoutes(store: store, traffic: traffic, time: time).add(to: &routes)
        GatewayRoutes(
            store: store, traffic: traffic, own: configuration.gateway, time: time
        ).add(to: &routes)
        ScoringRoutes(
            service: ScoringService(
                store: store, launcher: jobs.launcher, files: VersionFiles(artifacts: artifacts),
                snapshot: { try ConversionServices.snapshot(self) })
        ).add(to: &routes)
        PredictionRoutes(
            store: store,
            finder: PredictionFinder(store: store, folder: folder.predictionsPath),
            ask: configuration.gateway.map(GatewayQuestions.askVersion), time: time
        ).add(to: &routes)
        TrafficRoutes(store: store, time: time).add(to: &routes)
        ImportRoutes(store: store, time: time).add(to: &routes)
        SpaceRoutes(
            keeper: SpaceKeeper(
                store: store, artifacts: artifacts, blobs: blobs, time: time,
                lockPath: DataFolder.backupLockPath(in: folder.path))
        ).add(to: &routes)
        ServerRoutes().add(to: &routes)

        EventStream(store: store).add(to: &routes)
        SessionRoutes(store: store, time: time, chance: chance, attempts: attempts)
            .add(to: &routes)
        ShippingRoutes(archive: predictions).add(to: &routes)
        TryRoutes(ask: configuration.gateway.map(GatewayQuestions.ask)).add(to: &routes)
        MLflowRoutes(
            store: store, artifacts: artifacts, webhooks: webhooks, time: time, chance: chance
        ).add(to: router)
        WebRoutes(folder: webFolder).add(to: &routes)
        return router
    }

    /// What every request passes first: host, reserve of the disk, who asks, how large it is.
    private func makeFront(webFolder: URL?, attempts: TokenAttempts) -> FrontMiddleware {
        let hosts = HostCheck(listen: [configuration.listen], names: configuration.hostNames)
        let budget = ByteBudget(limitBytes: ByteBudget.share(largest: BodyBudget.largest))
        return FrontMiddleware(
            edge: EdgeCheck(hosts: hosts),
            fallback: WebFallback(page: WebPage(folder: webFolder)),
            reserve: reserve,
            principals: PrincipalFinder(
                store: store, access: configuration.access, time: time, attempts: attempts),
            bodies: BodyBudget(budget: budget), carried: MLflowPaths.carried)
    }
}
