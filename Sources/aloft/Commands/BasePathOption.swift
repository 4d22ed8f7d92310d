import AloftAPI
import AloftDomain
import AloftMLflow

/// `--base-path PATH` of the server.
enum BasePathOption {
    static func faults(_ given: String?, _ base: BasePath?) -> [String] {
        guard let given else { return [] }
        guard let base else {
            return [
                "--base-path \(given): expected a path such as /team/aloft, of letters, digits, '.', "
                    + "'_', '~' and '-'"
            ]
        }
        let first = base.first.map(String.init) ?? ""
        guard
            WebRoutes.pages.contains(first)
                || WebRoutes.isOfPrograms("/\(first)", MLflowPaths.carried)
        else {
            return []
        }
        return ["--base-path \(given): /\(first) is an address of the server itself; take another"]
    }
}
