import Foundation
import Testing

@testable import AloftDomain

struct ParameterValueTests {
    @Test(arguments: [
        ParameterValue.int(3), .double(3), .double(0.25), .double(-1e300), .double(1e-7),
        .bool(true), .bool(false), .text("3"), .text("true"), .text(""), .int(.min), .int(0),
        .int(1),
    ])
    func `a value comes back from JSON as what it was`(value: ParameterValue) throws {
        let saved = try JSONEncoder().encode([value])
        #expect(try JSONDecoder().decode([ParameterValue].self, from: saved) == [value])
    }
}
