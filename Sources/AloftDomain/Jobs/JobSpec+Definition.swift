extension JobSpec {
    /// A job of the project file with these parameters, which complete and override its defaults.
    /// Alone it registers what the file says; one of a group does not: a sweep registers the best.
    package init(
        _ definition: JobDefinition, project: ProjectID, parameters: [String: ParameterValue] = [:],
        snapshot: ContentDigest?, code: CodeOrigin? = nil, run: RunID?, experiment: ExperimentID?,
        group: JobGroup? = nil
    ) {
        let values = definition.parameters.merging(parameters) { _, given in given }
        self.init(
            project: project, name: definition.name,
            command: definition.run.command(with: values),
            parameters: values.mapValues(\.text), variables: definition.variables,
            python: definition.environment.map {
                PythonEnvironment(requirements: .file($0.python), version: $0.version)
            },
            resources: Resources(
                cpus: definition.resources.cpus, memoryBytes: definition.resources.memoryBytes,
                gpus: definition.resources.gpus, timeLimit: definition.resources.time,
                processes: definition.resources.processes),
            snapshot: snapshot, code: code, run: run, experiment: experiment, group: group,
            registers: group == nil ? definition.registers : nil)
    }
}
