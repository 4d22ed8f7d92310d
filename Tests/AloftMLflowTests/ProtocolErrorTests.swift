import AloftDomain
import HTTPTypes
import Testing

@testable import AloftMLflow

struct ProtocolErrorTests {
    private struct Refused: Refusal {
        let code = "some_code"
        let kind: RefusalKind
        let message = "Some sentence."
    }

    @Test(arguments: RefusalKind.allCases)
    func `a refusal is told by the one table`(kind: RefusalKind) throws {
        let error = try #require(ProtocolError(Refused(kind: kind)))
        #expect(error.name == kind.wire.mlflow)
        #expect(error.status.code == kind.wire.mlflow.http)
        #expect(error.message == "Some sentence.")
    }
}
