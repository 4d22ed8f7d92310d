/// Why a model version may not have its files at a place, in the words that clients look for.
package enum SourceFault: Sendable, Equatable {
    /// The place leads up, or holds a NUL.
    case relative
    /// A place on this machine that is not in the folder of the version's run.
    case local
    /// A place on another machine that no file URI can name.
    case host

    func message(_ source: Substring) -> String {
        switch self {
        case .relative:
            "Invalid model version source: '\(source)'. If supplying a source as an http, https, "
                + "local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must "
                + "be provided without relative path references present. Please provide an absolute "
                + "path."
        case .local:
            "Invalid model version source: '\(source)'. To use a local path as a model version "
                + "source, the run_id request parameter has to be specified and the local path has "
                + "to be contained within the artifact directory of the run specified by the run_id."
        case .host:
            "\(source) is not a valid remote uri. Use a path of this machine, or another scheme."
        }
    }
}
