// Measures how long it takes to read a request of FP32 rows into a model's memory, in each form that
// the gateway takes. Prints one JSON line a form: the least time of several tries, so that other work on
// the machine does not count.
//
//     decode-bench [--quick]

import AloftDomain
import AloftInference
import Foundation

let rows = 1000
let columns = 30
let isQuick = CommandLine.arguments.contains("--quick")
let signature = ModelSignature(
    inputs: [TensorSignature(name: "x", datatype: .fp32, shape: [-1, columns])],
    outputs: [TensorSignature(name: "y", datatype: .fp32, shape: [-1])])

var chance = SplitMix64(seed: 1)
let values = (0..<rows * columns).map { _ in Float.random(in: -100...100, using: &chance) }
let raw = values.withUnsafeBytes { Array($0) }

/// The protobuf message, by hand: these bytes are what the reader is for.
func varint(_ value: Int) -> [UInt8] {
    value < 0x80
        ? [UInt8(value)] : [UInt8(truncatingIfNeeded: value) | 0x80] + varint(value >> 7)
}

func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    [number << 3 | 2] + varint(content.count) + content
}

let json = Array(
    (#"{"inputs":[{"name":"x","shape":[\#(rows),\#(columns)],"datatype":"FP32","data":["#
        // As numpy hands float32 to JSON: doubles of seventeen digits.
        + values.map { "\(Double($0))" }.joined(separator: ",") + "]}]}").utf8)
let head = Array(
    (#"{"inputs":[{"name":"x","shape":[\#(rows),\#(columns)],"datatype":"FP32","parameters":"#
        + #"{"binary_data_size":\#(raw.count)}}]}"#).utf8)
let tensor =
    field(1, Array("x".utf8)) + field(2, Array("FP32".utf8))
    + field(3, varint(rows) + varint(columns))
let forms: [(name: String, body: [UInt8])] = [
    ("json", json), ("binary", head + raw),
    ("grpc-typed", field(1, Array("m".utf8)) + field(5, tensor + field(5, field(6, raw)))),
    ("grpc-raw", field(1, Array("m".utf8)) + field(5, tensor) + field(7, raw)),
]

let request = InferenceRequest()
let clock = ContinuousClock()
var jsonMicroseconds = 0.0
for form in forms {
    func read(_ bytes: UnsafeRawBufferPointer) throws {
        switch form.name {
        case "json": try InferRequestReader.read(bytes, signature: signature, into: request)
        case "binary":
            try InferRequestReader.read(
                bytes, jsonLength: head.count, signature: signature, into: request)
        default: try InferMessageReader.read(bytes, signature: signature, into: request)
        }
    }
    var least = Duration.seconds(3600)
    let calls = isQuick ? 2 : form.name == "json" ? 50 : 1000
    for _ in 0..<(isQuick ? 2 : 20) {
        let elapsed = try clock.measure {
            for _ in 0..<calls { try form.body.withUnsafeBytes { try read($0) } }
        }
        least = min(least, elapsed / calls)
    }
    guard let entry = request.tensors.entries.first,
        request.tensors.bytes(entry).elementsEqual(raw)
    else { fatalError("\(form.name) was read wrongly") }
    let microseconds = least.microseconds
    if form.name == "json" { jsonMicroseconds = microseconds }
    FileHandle.standardOutput.write(
        Data(
            (#"{"bench":"serving-decode","form":"\#(form.name)","rows":\#(rows),"columns":\#(columns),"#
                + #""bytes":\#(form.body.count),"microseconds":\#((microseconds * 100).rounded() / 100),"#
                + #""json_over_this":\#((jsonMicroseconds / microseconds * 10).rounded() / 10)}"#
                + "\n")
                .utf8))
}
