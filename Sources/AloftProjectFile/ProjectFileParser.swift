package import AloftDomain
import Yams

/// Reads `aloft.yaml` and checks it completely.
package enum ProjectFileParser {
    /// The typed form of `text`. Pure; cost is bounded by the file's size, whatever it holds.
    ///
    /// - Parameter file: the file's name, for messages.
    /// - Throws: every fault at once. Only where the text is not YAML at all is it one.
    package static func parse(
        _ text: String, file: String = "aloft.yaml"
    ) throws(ProjectFileError) -> ProjectFile {
        if let fault = Limits.fault(in: text) {
            throw ProjectFileError(file: file, faults: [fault])
        }
        let faults = FaultList()
        let parsed = try root(of: text, file: file).map { node in
            read(Cursor(node: node, path: "", faults: faults))
        }
        guard let parsed else {
            let fault = ProjectFileFault(
                line: 1, column: 1, path: "",
                message: "the file is empty; it begins with `project: NAME`")
            throw ProjectFileError(file: file, faults: [fault])
        }
        guard faults.faults.isEmpty, let project = parsed else {
            let ordered = faults.faults.enumerated().sorted {
                ($0.element.line, $0.element.column, $0.offset)
                    < ($1.element.line, $1.element.column, $1.offset)
            }
            throw ProjectFileError(file: file, faults: ordered.map(\.element))
        }
        return project
    }

    private static func root(of text: String, file: String) throws(ProjectFileError) -> Node? {
        do {
            return try Parser(yaml: text, encoding: .utf8).singleRoot()
        } catch let error as YamlError {
            throw ProjectFileError(file: file, faults: [fault(of: error)])
        } catch {
            let fault = ProjectFileFault(line: 1, column: 1, path: "", message: "\(error)")
            throw ProjectFileError(file: file, faults: [fault])
        }
    }

    private static func fault(of error: YamlError) -> ProjectFileFault {
        switch error {
        case .scanner(let context, let problem, let mark, _),
            .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let before = context.map { " (\($0.text) from line \($0.mark.line))" } ?? ""
            return ProjectFileFault(
                line: mark.line, column: mark.column, path: "",
                message: "this is not YAML: \(problem)\(before)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let keys = duplicates.map { "`\($0)`" }.joined(separator: ", ")
            return ProjectFileFault(
                line: context.mark.line, column: context.mark.column, path: "",
                message: "\(keys) is written more than once in one section; the first is here")
        case .reader(let problem, let offset, _, let yaml):
            let before = yaml.prefix(offset ?? 0)
            let line = before.count(where: \.isNewline) + 1
            return ProjectFileFault(
                line: line, column: 1, path: "", message: "this is not YAML: \(problem)")
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            return ProjectFileFault(
                line: 1, column: 1, path: "", message: "this cannot be read as YAML")
        }
    }

    private static func read(_ root: Cursor) -> ProjectFile? {
        guard let section = root.section("a project file", keys: ProjectFileKeys.file) else {
            return nil
        }
        let environment = section["environment"].flatMap(readEnvironment)
        let jobs = section["jobs"]?.named("`jobs`", as: .plain) ?? []
        let models = section["models"]?.named("`models`", as: .model) ?? []
        let deployments = section["deployments"]?.named("`deployments`", as: .plain) ?? []
        let monitors = section["monitors"]?.named("`monitors`", as: .plain) ?? []
        let triggers = section["triggers"]?.named("`triggers`", as: .plain) ?? []
        let project = section.required("project", example: "project: flights")
            .flatMap { readName($0, "the project's name", as: .plain) }
        let file = ProjectFile(
            project: ProjectID(project ?? ""), environment: environment,
            jobs: jobs.compactMap { readJob($0, environment) },
            models: models.compactMap(readModel),
            deployments: deployments.compactMap(readDeployment),
            monitors: monitors.compactMap(readMonitor),
            triggers: triggers.compactMap(readTrigger))
        References(
            file: file, jobs: jobs, models: models, deployments: deployments, monitors: monitors,
            triggers: triggers
        ).check()
        return project.map { _ in file }
    }

    /// A scalar that is a name of the given form.
    static func readName(_ cursor: Cursor, _ what: String, as form: NameForm) -> String? {
        guard let name = cursor.text(what, example: "flights") else { return nil }
        guard form.accepts(name) else {
            cursor.fault("\(what) is \(form.explanation)\(cursor.butIs)")
            return nil
        }
        return name
    }
}
