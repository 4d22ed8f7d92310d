package import AloftDomain

/// Where the tracking protocol's routes stand, for those who stand before them.
package enum MLflowPaths {
    package static let carried: CarriedProtocol = {
        var paths = CarriedProtocol()
        paths.paths = [
            "/api/2.0/", "/api/3.0/", "/ajax-api/", "/v1/", "/graphql", "/model-versions/",
        ]
        paths.roots = ["ajax-api", "get-artifact", "graphql", "model-versions", "v1", "version"]
        paths.files = ["/api/2.0/mlflow-artifacts/", "/ajax-api/2.0/mlflow-artifacts/"]
        paths.shortFolders = ["/api/2.0/mlflow/runs/", "/ajax-api/2.0/mlflow/runs/"]
        paths.shortCalls = [
            "create", "update", "log-metric", "log-parameter", "log-batch", "set-tag", "delete-tag",
        ]
        paths.jsonCalls = "/api/2.0/mlflow/"
        paths.types = [
            .init(method: "PUT", path: "/api/2.0/mlflow-artifacts/", types: nil),
            .init(method: "PUT", path: "/ajax-api/2.0/mlflow-artifacts/", types: nil),
            .init(method: "POST", path: "/ajax-api/2.0/mlflow/upload-artifact", types: .file),
            // Reads two types, and refuses others by itself as exporters of spans expect it.
            .init(method: "POST", path: "/v1/traces", types: nil),
        ]
        return paths
    }()
}
