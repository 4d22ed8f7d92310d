/// What is watched on a deployment, under `monitors:`; the monitor's name is the deployment's.
package struct MonitorDefinition: Sendable, Equatable, Codable {
    /// Whether the inputs still look like those of the training data.
    package struct Drift: Sendable, Equatable, Codable {
        package enum Test: String, Sendable, Codable, CaseIterable { case psi, ks, js, wasserstein }

        package var test: Test
        /// An alert is raised above it.
        package var threshold: Double
        /// How many predictions are compared at a time.
        package var window: Int

        package init(test: Test, threshold: Double, window: Int) {
            self.test = test
            self.threshold = threshold
            self.window = window
        }
    }

    /// Whether the answers are still right, once the truth is known.
    package struct Quality: Sendable, Equatable, Codable {
        package enum Bound: Sendable, Equatable, Codable {
            case atLeast(Double)
            case atMost(Double)
        }

        package var metric: String
        package var bound: Bound
        /// The name under which the truth comes back.
        package var label: String

        package init(metric: String, bound: Bound, label: String) {
            self.metric = metric
            self.bound = bound
            self.label = label
        }
    }

    package var deployment: String
    package var drift: Drift?
    package var quality: Quality?

    package init(deployment: String, drift: Drift? = nil, quality: Quality? = nil) {
        self.deployment = deployment
        self.drift = drift
        self.quality = quality
    }
}

/// What starts a job by itself, under `triggers:`.
package struct TriggerDefinition: Sendable, Equatable, Codable {
    package enum Cause: Sendable, Equatable, Codable {
        case drift
        case quality
        case push
        case cron(CronSchedule)
    }

    package enum Sequel: String, Sendable, Codable, CaseIterable {
        case register
        case rollOut = "roll out"
    }

    package var name: String
    package var when: [Cause]
    /// The job to run; its sweep if it has one.
    package var run: String
    package var then: Sequel?

    package init(name: String, when: [Cause], run: String, then: Sequel? = nil) {
        self.name = name
        self.when = when
        self.run = run
        self.then = then
    }
}
