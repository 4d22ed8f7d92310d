import AloftDomain
import Yams

extension ProjectFileParser {
    static func readEnvironment(_ cursor: Cursor) -> EnvironmentDefinition? {
        guard let section = cursor.section("an environment", keys: ProjectFileKeys.environment),
            let value = section.required("python", example: "python: requirements.txt"),
            let path = value.text("the requirements file", example: "python: requirements.txt")
        else { return nil }
        let isInside = !path.hasPrefix("/") && !path.split(separator: "/").contains("..")
        guard isInside, !path.contains("\0") else {
            value.fault("the requirements file is a path inside the project's folder\(value.butIs)")
            return nil
        }
        let version = section["version"]?.text("the Python version", example: "version: \"3.11\"")
        let digits = (version ?? "3").split(separator: ".", omittingEmptySubsequences: false)
        guard (1...3).contains(digits.count), digits.allSatisfy({ UInt16($0) != nil }) else {
            section["version"]?.fault("a Python version is written as in `version: \"3.11\"`")
            return nil
        }
        return EnvironmentDefinition(python: path, version: version)
    }

    static func readJob(
        _ entry: Section.Entry, _ shared: EnvironmentDefinition?
    ) -> JobDefinition? {
        guard let section = entry.value.section("a job", keys: ProjectFileKeys.job) else {
            return nil
        }
        let command = section.required("run", example: "run: python train.py")?
            .text("the command", example: "run: python train.py")
        let environment = section["environment"].map(readEnvironment) ?? shared
        let resources = section["resources"].map(readResources) ?? ResourceDefinition()
        let sweep = section["sweep"].map(readSweep)
        let registers = section["registers"].flatMap {
            readName($0, "the registered model's name", as: .model)
        }
        let variables = section["variables"].map(readVariables) ?? [:]
        let job = JobDefinition(
            name: entry.name, run: CommandTemplate(command ?? ""), environment: environment,
            resources: resources, variables: variables,
            secrets: section["secrets"].map { readSecrets($0, of: variables) },
            parameters: section["parameters"].map(readParameters) ?? [:],
            sweep: sweep.flatMap(\.self), registers: registers)
        if command != nil, let run = section["run"] { checkParameters(of: job, at: run, section) }
        return command == nil ? nil : job
    }

    private static func checkParameters(of job: JobDefinition, at run: Cursor, _ section: Section) {
        let spaceSection = section["sweep"]?.quietSection?["space"]?.quietSection
        let searched = spaceSection?.entries.map(\.name) ?? []
        let defaults = section["parameters"]?.quietSection?.entries.map(\.name) ?? []
        let known = Set(searched).union(defaults)
        let unknown = job.run.parameters.filter { !known.contains($0) }
        for name in unknown {
            let near = nearest(to: name, among: known)
            run.fault(
                "no default in `parameters` and no `sweep.space` gives `\(name)`; "
                    + (near.map { "did you mean `${\($0)}`?" }
                        ?? "an environment variable is written `$\(name)`"))
        }
        let used = Set(job.run.parameters)
        for entry in spaceSection?.entries ?? [] where unknown.isEmpty && !used.contains(entry.name)
        {
            entry.key.fault(
                "`\(entry.name)` is searched, but `run` does not use it; add `${\(entry.name)}`")
        }
    }

    static func readResources(_ cursor: Cursor) -> ResourceDefinition {
        var resources = ResourceDefinition()
        guard let section = cursor.section("`resources`", keys: ProjectFileKeys.resources) else {
            return resources
        }
        let cpus = section["cpus"].flatMap { value in
            value.number("`cpus` is a number above 0 and at most 1024") { $0 > 0 && $0 <= 1024 }
        }
        resources.cpus = cpus ?? resources.cpus
        resources.gpus = section["gpus"]?.integer("`gpus`", in: 0...1024) ?? 0
        resources.processes = section["processes"]?.integer("`processes`", in: 1...1_000_000)
        resources.time = section["time"]?.duration("`time`")
        resources.memoryBytes = section["memory"].flatMap { value in
            let bytes = value.scalar.flatMap { Quantity.bytes($0.string) }
            if bytes.map({ $0 < 1 << 20 }) ?? true {
                value.fault("`memory` is a size such as 512Mi or 2Gi, at least 1Mi\(value.butIs)")
            }
            return bytes
        }
        return resources
    }

    private static func readVariables(_ cursor: Cursor) -> [String: String] {
        var variables: [String: String] = [:]
        for entry in cursor.section("`variables`")?.entries ?? [] {
            guard CommandTemplate.isName(entry.name) else {
                entry.key.fault(
                    "`\(entry.name)` is no variable's name: letters, digits and `_`, no digit first"
                )
                continue
            }
            guard let text = entry.value.scalar?.string, !text.contains("\0") else {
                entry.value.fault("a variable's value is text\(entry.value.butIs)")
                continue
            }
            variables[entry.name] = text
        }
        return variables
    }

    /// Names of variables whose values are secrets.
    private static func readSecrets(
        _ cursor: Cursor, of variables: [String: String]
    ) -> [String] {
        (cursor.list("`secrets`") ?? []).compactMap { item in
            guard let name = item.scalar?.string, variables[name] != nil else {
                item.fault("`secrets` names variables that stand under `variables`\(item.butIs)")
                return nil
            }
            return name
        }
    }

    private static func readParameters(_ cursor: Cursor) -> [String: ParameterValue] {
        var parameters: [String: ParameterValue] = [:]
        for entry in cursor.section("`parameters`")?.entries ?? [] {
            guard checkParameterName(entry) else { continue }
            parameters[entry.name] = entry.value.parameterValue("a default")
        }
        return parameters
    }

    static func checkParameterName(_ entry: Section.Entry) -> Bool {
        let isName = CommandTemplate.isName(entry.name)
        if !isName {
            entry.key.fault(
                "`\(entry.name)` is no parameter's name: letters, digits and `_`, no digit first")
        }
        return isName
    }
}

extension Cursor {
    /// A number, a truth value or text; quoted is always text.
    func parameterValue(_ what: String) -> ParameterValue? {
        guard let scalar, !(isEmpty || scalar.string.contains("\0")) else {
            fault("\(what) is a number, true, false or text\(butIs)")
            return nil
        }
        guard scalar.style == .plain || scalar.style == .any else { return .text(scalar.string) }
        if let value = Int(scalar.string) { return .int(value) }
        if let value = Quantity.number(scalar.string) { return .double(value) }
        switch scalar.string {
        case "true": return .bool(true)
        case "false": return .bool(false)
        default: return .text(scalar.string)
        }
    }

    /// The mapping here, for a second look: what is wrong with it was reported at the first.
    var quietSection: Section? {
        Cursor(node: node, path: path, faults: FaultList()).section("").map { section in
            let entries = section.entries.map { entry in
                Section.Entry(
                    name: entry.name,
                    key: Cursor(node: entry.key.node, path: entry.key.path, faults: faults),
                    value: Cursor(node: entry.value.node, path: entry.value.path, faults: faults))
            }
            return Section(cursor: self, entries: entries)
        }
    }
}
