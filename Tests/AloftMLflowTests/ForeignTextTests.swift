import AloftArtifacts
import AloftDomain
import Foundation
import HTTPTypes
import Testing

/// Names from outside are code points: marks join no letters here, and texts that only look alike are
/// two.
struct ForeignTextTests {
    private static let files = "/api/2.0/mlflow-artifacts/artifacts"
    /// A combining mark, a variation selector, joiners, and what a carriage return makes of a line feed.
    private static let marks = ["\u{0301}", "\u{FE0F}", "\u{200D}", "\u{0903}", "\u{20DD}"]
    /// é as one code point and as two.
    private static let (composed, decomposed) = ("\u{E9}", "e\u{301}")

    private static func encoded(_ text: String) -> String {
        text.utf8.map { $0 == UInt8(ascii: "/") ? "/" : String(format: "%%%02X", $0) }.joined()
    }

    @Test(arguments: marks)
    func `a path climbs over no slash, whatever mark follows it`(_ mark: String) async throws {
        for text in [
            "../\(mark)x", "a/../\(mark)x", "a/..\\\(mark)x", "/\(mark)etc", "a/%2e%2e/\(mark)x",
        ] {
            #expect(throws: ArtifactError.invalidPath(text)) { try ArtifactPath(text) }
        }
        #expect(try ArtifactPath("d/\(mark)x").components == ["d", "\(mark)x"])
        try await World.run { world in
            let climb = Self.files + "/" + Self.encoded("0/r/artifacts/../\(mark)x.txt")
            #expect(try await world.call(.put, climb, "x", type: "text/plain").status == 400)
            let inside = Self.files + "/" + Self.encoded("0/r/artifacts/d/\(mark)x.txt")
            #expect(try await world.call(.put, inside, "x", type: "text/plain").status == 200)
            let list = try await world.get(Self.files + "?path=0/r/artifacts/d")
            #expect(list["files", "0", "path"] == .string("\(mark)x.txt"))
            #expect(list["files", "1"] == .null)
        }
    }

    @Test func `files whose names only look alike are two`() async throws {
        try await World.run { world in
            for name in [Self.composed, Self.decomposed] {
                let path = Self.files + "/" + Self.encoded("0/r/artifacts/\(name).txt")
                let bytes = "\(name.utf8.count)"
                #expect(try await world.call(.put, path, bytes, type: "text/plain").status == 200)
            }
            for name in [Self.composed, Self.decomposed] {
                let path = Self.files + "/" + Self.encoded("0/r/artifacts/\(name).txt")
                let wanted = Data("\(name.utf8.count)".utf8)
                let answer = try await world.get(path)
                #expect(answer.bytes == wanted)
            }
        }
    }

    @Test func `values and keys that only look alike are two`() async throws {
        try await World.run { world in
            let run = try await world.run()
            func log(_ value: String) async throws -> Int {
                try await world.post(
                    "runs/log-parameter",
                    #"{"run_id": "\#(run)", "key": "p", "value": "\#(value)"}"#
                ).status
            }
            #expect(try await log(Self.composed) == 200)
            #expect(try await log(Self.composed) == 200)
            #expect(try await log(Self.decomposed) == 400, "a param changed without a word")
            // The Kelvin sign looks like K, and Swift takes the two for equal.
            let twins = ["\u{212A}", "K"].map { #"{"key": "\#($0)", "value": "1"}"# }
            let both = twins.joined(separator: ",")
            let batch = try await world.post(
                "runs/log-batch",
                #"{"run_id": "\#(run)", "params": [\#(both)], "tags": [\#(both)]}"#)
            #expect(batch.status == 200)
            let metrics = ["\u{212A}", "K"].enumerated().map {
                #"{"key": "\#($1)", "value": \#($0), "timestamp": 1}"#
            }.joined(separator: ",")
            for also in ["", #", "tags": [{"key": "t", "value": "1"}]"#] {
                let body = #"{"run_id": "\#(run)", "metrics": [\#(metrics)]\#(also)}"#
                #expect(try await world.post("runs/log-batch", body).status == 200)
            }
            let data = try await world.get("runs/get?run_id=\(run)")
            for list in ["params", "metrics"] {
                let keys = (0..<3).compactMap {
                    data["run", "data", list, "\($0)", "key"].stringValue
                }.filter { $0 != "p" }
                #expect(Set(keys.map { ExactText($0) }).count == 2, "\(list): \(keys)")
            }
        }
    }

    @Test func `two members that only look alike are refused`() async throws {
        try await World.run { world in
            let tags = #"{"\#(Self.composed)": "1", "\#(Self.decomposed)": "2"}"#
            let answer = try await world.post(
                "/api/3.0/mlflow/traces",
                """
                {"trace": {"trace_info": {"trace_id": "tr-1", "trace_location": {"type": \
                "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}, "tags": \(tags)}}}
                """)
            #expect(answer.status == 400)
        }
    }

    @Test func `a filter reads code points`() async throws {
        try await World.run { world in
            let run = try await world.run()
            for value in ["\u{301}x", "*\u{301}y", "'\u{301}z"] {
                _ = try await world.post(
                    "runs/set-tag",
                    #"{"run_id": "\#(run)", "key": "t\#(value.utf8.last ?? 0)", "value": "\#(value)"}"#
                )
            }
            func found(_ filter: String) async throws -> Bool {
                let answer = try await world.post(
                    "runs/search", #"{"experiment_ids": ["0"], "filter": "\#(filter)"}"#)
                #expect(answer.status == 200, "\(filter): \(answer.json)")
                return answer["runs"] != .null
            }
            #expect(try await found("tags.t120 = '\u{301}x'"))
            #expect(try await found("tags.t121 LIKE '*\u{301}y'"))
            #expect(try await !found("tags.t121 LIKE '*\u{301}z'"))
            #expect(try await !found("tags.t120 LIKE '*\u{301}x'"))
            #expect(try await found("tags.t122 = '''\u{301}z'"))
            #expect(try await found(#"tags.t120\r\n=\r\n'"# + "\u{301}x'"))
        }
    }

    @Test func `a text with a NUL is refused`() async throws {
        try await World.run { world in
            let run = try await world.run()
            let nul = #""before\u0000after""#
            for (path, body) in [
                ("runs/log-parameter", #"{"run_id": "\#(run)", "key": "p", "value": \#(nul)}"#),
                ("runs/set-tag", #"{"run_id": "\#(run)", "key": "t", "value": \#(nul)}"#),
                ("runs/update", #"{"run_id": "\#(run)", "run_name": \#(nul)}"#),
                ("experiments/create", #"{"name": \#(nul)}"#),
                ("registered-models/create", #"{"name": \#(nul)}"#),
                (
                    "experiments/set-experiment-tag",
                    #"{"experiment_id": "0", "key": "t", "value": \#(nul)}"#
                ),
                ("runs/search", #"{"experiment_ids": ["0"], "filter": "tags.a = 'x\u0000y'"}"#),
            ] {
                let answer = try await world.post(path, body)
                #expect(
                    answer.status == 400 && answer.errorCode == "INVALID_PARAMETER_VALUE", "\(path)"
                )
            }
            #expect(try await world.get("registered-models/get?name=a%00b").status == 400)
            #expect(try await world.get("logged-models/m-1%00x").status == 400)
        }
    }
}
