import AloftDomain
import AloftInference
import Foundation
import Testing

private let goodInput = #"{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}"#

private let doubled: [(String, String)] = [
    ("id", #"{"id":"a","inputs":[\#(goodInput)],"id":"b"}"#),
    ("inputs", #"{"inputs":[\#(goodInput)],"inputs":[]}"#),
    ("outputs", #"{"outputs":[{"name":"y"}],"inputs":[\#(goodInput)],"outputs":[]}"#),
    ("parameters", #"{"parameters":{},"inputs":[\#(goodInput)],"parameters":{"timeout":1}}"#),
    ("timeout", #"{"parameters":{"timeout":1,"timeout":2},"inputs":[\#(goodInput)]}"#),
    ("name", goodInput.replacingOccurrences(of: #""shape""#, with: #""name":"x","shape""#)),
    ("shape", goodInput.replacingOccurrences(of: #""data""#, with: #""shape":[2,1],"data""#)),
    (
        "datatype",
        goodInput.replacingOccurrences(of: #""data":"#, with: #""datatype":"FP32","data":"#)
    ),
    ("data", goodInput.replacingOccurrences(of: #"[1,2]}"#, with: #"[1,2],"data":[3,4]}"#)),
    (
        "parameters",
        goodInput.replacingOccurrences(
            of: #""shape""#, with: #""parameters":{},"parameters":{},"shape""#)
    ),
    ("name", #"{"inputs":[\#(goodInput)],"outputs":[{"name":"y","name":"y"}]}"#),
]

/// Of two members of one name readers disagree which counts, so neither does.
@Suite struct DoubledMembersTests {
    private let signature = ModelSignature(
        inputs: [TensorSignature(name: "x", datatype: .fp32, shape: [-1, 2])],
        outputs: [TensorSignature(name: "y", datatype: .fp32, shape: [-1])])

    @Test(arguments: doubled)
    func `a doubled member is refused by its name`(member: String, text: String) throws {
        let body = text.contains(#""inputs""#) ? text : #"{"inputs":[\#(text)]}"#
        let error = try #require(fault(body, signature))
        #expect(error == .repeatedMember(name: member))
        #expect(error.code == "repeated_member" && error.kind == .invalid)
        #expect(error.message.contains("\"\(member)\""))
    }

    @Test func `a known name that is spelled with escapes is no other name`() throws {
        let error = try #require(
            fault(#"{"id":"a","\u0069d":"b","inputs":[\#(goodInput)]}"#, signature))
        #expect(error.message.contains("\"id\""))
    }

    @Test(arguments: [#""\q""#, #""\ud800""#, #"{"\q":1}"#, #"["\u00"]"#])
    func `what is no JSON text is refused where it is not looked at too`(value: String) {
        #expect(fault(#"{"z":\#(value),"inputs":[\#(goodInput)]}"#, signature) != nil)
        #expect(
            fault(#"{"parameters":{"z":\#(value)},"inputs":[\#(goodInput)]}"#, signature) != nil)
    }

    @Test(arguments: [
        #"{"instances":[[1,2]],"instances":[[1,2]]}"#,
        #"{"params":{},"instances":[[1,2]],"params":{}}"#,
    ])
    func `so are those of scoring`(body: String) {
        #expect {
            try Data(body.utf8).withUnsafeBytes {
                try ScoringReader.read(
                    $0, isCSV: false, signature: signature, columns: nil, into: InferenceRequest())
            }
        } throws: { error in
            (error as? InferenceError)?.code == "repeated_member"
        }
    }
}
