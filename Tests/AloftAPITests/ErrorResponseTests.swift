import AloftDomain
import AloftMLflow
import Foundation
import HTTPTypes
import Hummingbird
import Testing

@testable import AloftAPI

/// The same refusal as `/api/v1` tells it and as the tracking protocol's clients read it.
struct ErrorResponseTests {
    private struct Refused: Refusal {
        let code = "some_code"
        let kind: RefusalKind
        let message = "Some sentence."
    }

    @Test(arguments: RefusalKind.allCases)
    func `a refusal is told by the one table`(kind: RefusalKind) throws {
        let refused = Refused(kind: kind)
        func answer(_ path: String) -> Response {
            ErrorResponse.make(for: refused, path: path, carried: MLflowPaths.carried)
        }
        #expect(answer("/api/v1/jobs").status.code == kind.wire.http)
        for path in ["/api/2.0/mlflow/runs/get", "/ajax-api/2.0/mlflow/runs/get", "/v1/traces"] {
            #expect(answer(path).status.code == kind.wire.mlflow.http)
        }
    }
}
