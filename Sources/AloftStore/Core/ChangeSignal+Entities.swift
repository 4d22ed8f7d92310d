extension ChangeSignal {
    /// What a commit may have changed. Who writes says it; who says nothing has changed everything.
    /// Saying too much costs somebody a look, saying too little keeps somebody asleep: debug builds
    /// refuse a commit that changes a table of which it did not speak (`DeclaredChanges`).
    package struct Entities: OptionSet, Sendable {
        package let rawValue: UInt16

        package init(rawValue: UInt16) { self.rawValue = rawValue }

        /// Points of runs and of logged models, params and tags of runs, which come by the thousand.
        package static let metrics = Entities(rawValue: 1 << 0)
        /// Experiments, runs with their datasets, and logged models.
        package static let runs = Entities(rawValue: 1 << 1)
        package static let traces = Entities(rawValue: 1 << 2)
        /// Jobs and their attempts.
        package static let jobs = Entities(rawValue: 1 << 3)
        /// Sweeps and their trials.
        package static let sweeps = Entities(rawValue: 1 << 4)
        /// Registered models with their versions, aliases and tags.
        package static let versions = Entities(rawValue: 1 << 5)
        /// What versions were converted to.
        package static let servables = Entities(rawValue: 1 << 6)
        /// Deployments with revisions, rollouts, checks, rules, and what gateways are to serve.
        package static let deployments = Entities(rawValue: 1 << 7)
        /// What gateways report.
        package static let gateways = Entities(rawValue: 1 << 8)
        /// What gateways logged.
        package static let predictions = Entities(rawValue: 1 << 9)
        /// Webhooks and what is to be delivered.
        package static let webhooks = Entities(rawValue: 1 << 10)
        /// Tokens and sessions.
        package static let tokens = Entities(rawValue: 1 << 11)
        /// The log of events.
        package static let events = Entities(rawValue: 1 << 12)
        /// Projects, their files, who owns names, what jobs made, what was imported.
        package static let projects = Entities(rawValue: 1 << 13)
        /// Files that nothing reaches.
        package static let space = Entities(rawValue: 1 << 14)
        /// No commit: what `LiveActivity` has noted and somebody waits for.
        package static let activity = Entities(rawValue: 1 << 15)

        /// All that a commit can change.
        package static let all = Entities(rawValue: .max).subtracting(.activity)

        /// What clients of tracking write beside points.
        package static let tracking: Entities = [
            .metrics, .runs, .traces, .projects, .events,
        ]
        /// What changes a registered model, of which webhooks are told.
        package static let registry: Entities = [.versions, .webhooks, .projects, .events]

        /// Whose rows a table holds; `nil` for those of nobody, and for a table that is not named here.
        package static func of(table: String) -> Entities? { ofTable[table] }

        // text: names of our own tables
        package static let ofTable: [String: Entities] = {
            let tables: [(Entities, [String])] = [
                (
                    .metrics,
                    [
                        "runParam", "runTag", "metricContext", "latestMetric", "metricTail",
                        "metricBlock", "metricSummary", "loggedModelMetric",
                    ]
                ),
                (
                    .runs,
                    [
                        "experiment", "experimentTag", "run", "dataset", "runDataset",
                        "runDatasetTag", "runModelInput", "runModelOutput", "loggedModel",
                        "loggedModelParam", "loggedModelTag",
                    ]
                ),
                (
                    .traces,
                    [
                        "trace", "traceTag", "traceMetadata", "traceSpan", "traceAssessment",
                        "traceRun", "traceLink",
                    ]
                ),
                (.jobs, ["job", "attempt", "environment"]),
                (.sweeps, ["sweep", "trial"]),
                (
                    .versions,
                    [
                        "registeredModel", "registeredModelTag", "modelVersion",
                        "modelVersionTag", "modelAlias",
                    ]
                ),
                (.servables, ["servable"]),
                (
                    .deployments,
                    [
                        "deployment", "revision", "checkResult", "rollout", "rolloutStep",
                        "desiredState", "trafficRules",
                    ]
                ),
                (.gateways, ["gateway", "gatewayReport", "shadowReport"]),
                (
                    .predictions,
                    [
                        "predictionFile", "predictionBlock", "predictionStream",
                        "predictionExpiry",
                    ]
                ),
                (.webhooks, ["webhook", "webhookEvent", "webhookDelivery"]),
                (.tokens, ["token", "session", "tokenEnds"]),
                (.events, ["event"]),
                (
                    .projects,
                    [
                        "project", "projectFile", "nameOwner", "jobMade", "importedExperiment",
                        "imported",
                    ]
                ),
                (.space, ["garbage"]),
            ]
            return Dictionary(
                uniqueKeysWithValues: tables.flatMap { entities, names in
                    names.map { ($0, entities) }
                })
        }()
    }
}
