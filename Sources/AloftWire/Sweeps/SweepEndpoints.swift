package import AloftDomain

package enum StartSweep: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        /// May be absent while only one project has a file.
        package var project: ProjectID?
        package var job: String
        /// In place of what the project file says.
        package var trials: Int?
        package var parallel: Int?
        package var seed: UInt64?

        package init(
            project: ProjectID? = nil, job: String, trials: Int? = nil, parallel: Int? = nil,
            seed: UInt64? = nil
        ) {
            self.project = project
            self.job = job
            self.trials = trials
            self.parallel = parallel
            self.seed = seed
        }
    }
    package typealias Reply = SweepView
    package static let action = Action.manage
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/sweeps"
    package static let summary = "Search the parameters of a job of the project file"
}

/// `?project=&limit=N`, newest first.
package enum ListSweeps: Endpoint {
    package struct Reply: Codable, Sendable, Equatable {
        package var sweeps: [SweepView]
        package init(sweeps: [SweepView]) { self.sweeps = sweeps }
    }
    package static let action = Action.read
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/sweeps"
    package static let summary = "Sweeps, newest first"
}

package enum GetSweep: Endpoint {
    package typealias Reply = SweepView
    package static let action = Action.read
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/sweeps/{sweep}"
    package static let summary = "A sweep and its trials; the begin of its identifier will do"
}

package enum StopSweep: Endpoint {
    package typealias Reply = SweepView
    package static let action = Action.manage
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/sweeps/{sweep}/stop"
    package static let summary = "End a sweep and the trials that are under way"
}
