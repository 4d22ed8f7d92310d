// text-file: names of params and variables, which are ASCII; others are refused where they are used
package import AloftDomain

/// `?project=&name=&group=&run=&live=true&before=JOB&limit=N`, newest first.
package enum ListJobs: Endpoint {
    package struct Reply: Codable, Sendable, Equatable {
        package var jobs: [JobView]
        package init(jobs: [JobView]) { self.jobs = jobs }
    }
    package static let action = Action.read
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/jobs"
    package static let summary = "Jobs, newest first"
}

/// A job by its identifier, the begin of one, or the name of a job whose newest is meant.
package enum GetJob: Endpoint {
    package struct Reply: Codable, Sendable, Equatable {
        package var job: JobView
        package var command: String
        package var snapshot: ContentDigest?
        /// Where the snapshot comes from, as git said.
        package var code: CodeOrigin?
        package var attempts: [AttemptView]
        /// The last lines of its log, if it failed.
        package var lastLines: String?
        /// The version that it registered, if it `registers` a model.
        package var registered: Registered?

        package struct Registered: Codable, Sendable, Equatable {
            package var model: String
            package var version: Int64
            package init(model: String, version: Int64) {
                self.model = model
                self.version = version
            }
        }

        package init(
            job: JobView, command: String, snapshot: ContentDigest?, code: CodeOrigin? = nil,
            attempts: [AttemptView],
            lastLines: String?, registered: Registered?
        ) {
            self.job = job
            self.command = command
            self.snapshot = snapshot
            self.code = code
            self.attempts = attempts
            self.lastLines = lastLines
            self.registered = registered
        }
    }
    package static let action = Action.read
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/jobs/{job}"
    package static let summary = "A job and its attempts; ?wait=SECONDS waits for its end"
}

/// Runs a job of the project file (`job`), or any command (`command`).
package enum RunJob: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        package var project: ProjectID?
        /// The name of a job in the project's file.
        package var job: String?
        package var parameters: [String: String]?
        /// A command for `/bin/sh -c`, where no job is named.
        package var command: String?
        /// What to call the job of a command.
        package var name: String?
        /// The lines of a requirements file.
        package var requirements: String?
        package var python: String?
        package var variables: [String: String]?
        /// Variables whose values nobody may read again although their names do not say so.
        package var secrets: [String]?
        package var snapshot: ContentDigest?
        /// Where the snapshot comes from.
        package var code: CodeOrigin?
        /// A project file that `job` is taken from, with `snapshot` as its folder, in place of the one
        /// that was applied last.
        package var file: String?
        package var resources: Limits?
        package var priority: Int?

        package struct Limits: Codable, Sendable, Equatable {
            package var cpus: Double?
            package var memoryBytes: Int64?
            package var gpus: Int?
            package var seconds: Double?
            package var processes: Int?

            package init(
                cpus: Double? = nil, memoryBytes: Int64? = nil, gpus: Int? = nil,
                seconds: Double? = nil, processes: Int? = nil
            ) {
                self.cpus = cpus
                self.memoryBytes = memoryBytes
                self.gpus = gpus
                self.seconds = seconds
                self.processes = processes
            }
        }

        package init(
            project: ProjectID? = nil, job: String? = nil, parameters: [String: String]? = nil,
            command: String? = nil, name: String? = nil, requirements: String? = nil,
            python: String? = nil, variables: [String: String]? = nil, secrets: [String]? = nil,
            snapshot: ContentDigest? = nil, code: CodeOrigin? = nil, file: String? = nil,
            resources: Limits? = nil, priority: Int? = nil
        ) {
            self.project = project
            self.job = job
            self.parameters = parameters
            self.command = command
            self.name = name
            self.requirements = requirements
            self.python = python
            self.variables = variables
            self.secrets = secrets
            self.snapshot = snapshot
            self.code = code
            self.file = file
            self.resources = resources
            self.priority = priority
        }
    }
    package typealias Reply = JobView
    package static let action = Action.manage
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/jobs"
    package static let summary = "Run a job of the project file, or any command"
}

package enum StopJob: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        package var reason: String?
        package init(reason: String? = nil) { self.reason = reason }
    }
    package typealias Reply = JobView
    package static let action = Action.manage
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/jobs/{job}/stop"
    package static let summary = "Ask a job to end; its whole process tree does"
}

/// A new job with the same command, code and limits, and a run of its own.
package enum RetryJob: Endpoint {
    package typealias Reply = JobView
    package static let action = Action.manage
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/jobs/{job}/retry"
    package static let summary = "Run an ended job again, as a new one"
}

/// `?attempt=N&offset=BYTES&limit=BYTES&wait=SECONDS`; the newest attempt if none is named.
package enum GetJobLog: Endpoint {
    package struct Reply: Codable, Sendable, Equatable {
        package var attempt: Int
        package var text: String
        /// Where the next call goes on, in bytes.
        package var nextOffset: Int64
        /// Nothing will be added any more.
        package var isComplete: Bool

        package init(attempt: Int, text: String, nextOffset: Int64, isComplete: Bool) {
            self.attempt = attempt
            self.text = text
            self.nextOffset = nextOffset
            self.isComplete = isComplete
        }
    }
    package static let action = Action.read
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/jobs/{job}/log"
    package static let summary = "What a job wrote, from an offset on; waits for more with wait"
}

/// `?attempt=N`.
package enum GetJobUsage: Endpoint {
    package struct Sample: Codable, Sendable, Equatable {
        /// Since the command began.
        package var seconds: Double
        package var cpus: Double
        package var memoryBytes: Int64

        package init(seconds: Double, cpus: Double, memoryBytes: Int64) {
            self.seconds = seconds
            self.cpus = cpus
            self.memoryBytes = memoryBytes
        }
    }
    package struct Reply: Codable, Sendable, Equatable {
        package var attempt: Int
        package var samples: [Sample]
        package init(attempt: Int, samples: [Sample]) {
            self.attempt = attempt
            self.samples = samples
        }
    }
    package static let action = Action.read
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/jobs/{job}/usage"
    package static let summary = "Processor and memory that a job used over time"
}
