#if DEBUG
    import AloftDomain
    import AloftWire
    import Foundation
    import NIOCore

    @testable import AloftAPI
    @testable import AloftProjectFile
    @testable import AloftTransfer

    /// What people, gateways and importers send to `/api/v1`, and the files that are read from elsewhere.
    enum ControlReaders {
        static let all: [Reader] = [
            Reader(
                name: "wire", variants: endpoints.count, good: bodies, words: words,
                read: { variant, bytes in try endpoints[variant](ByteBuffer(bytes: bytes)) }),
            Reader(
                name: "gateway-report", good: [bodies[3]],
                words: words + [
                    #""scores":[[0,1]],"#, #""warmup":[[0,1]],"#, #""unrouted":["#, #""shadows":["#,
                ],
                read: { _, bytes in
                    _ = try GatewayReportReader(known: [RevisionID("r")])
                        .read(ByteBuffer(bytes: bytes)) { _, _ in }
                }),
            Reader(
                name: "project-file", growth: Limits.growth, good: files,
                words: [
                    "\n", "  ", ": ", "- ", "&a ", "*a", "{ ", " }", "[", "]", "|\n", "project: ",
                    "jobs:",
                    "\u{85}", "\u{2028}", "!!binary ", "? ", "<<: ", "~", "---\n", "...\n",
                    "%YAML 1.1\n",
                    "sweep:", "space:", "traffic:", "${x}", "10m", "2Gi",
                ],
                read: { _, bytes in
                    _ = try ProjectFileParser.parse(String(decoding: bytes, as: UTF8.self))
                }),
            Reader(
                name: "meta-yaml", good: metas,
                words: [
                    "&a ", "*a", "[", "]", "{", "}", ", ", "\n", "- ", "\u{85}", "!!float ", ".inf",
                ],
                read: { _, bytes in
                    let meta = try MetaFile(
                        String(decoding: bytes, as: UTF8.self), path: "meta.yaml")
                    _ = meta.number("start_time")
                    _ = meta.texts("tags")
                    _ = try meta.required("run_id")
                }),
        ]

        private static func decoder<E: Endpoint>(
            _ endpoint: E.Type
        ) -> @Sendable (ByteBuffer) throws -> Void {
            { _ = try BodyReader.decode(E.Body.self, $0, perByte: E.readingBytesPerByte) }
        }

        private static let endpoints: [@Sendable (ByteBuffer) throws -> Void] = [
            decoder(RunJob.self), decoder(StartSweep.self), decoder(Deploy.self),
            decoder(SetSegments.self), decoder(SetShadow.self),
            decoder(PutServable.self), decoder(CheckTokens.self), decoder(CreateToken.self),
            decoder(ImportExperiment.self), decoder(CheckImports.self),
            decoder(ImportLoggedModel.self),
            decoder(ImportModel.self), decoder(ApplyProjectFile.self), decoder(SteerRollout.self),
            decoder(Rollback.self), decoder(ReplayPrediction.self), decoder(FreeSpace.self),
        ]

        private static let bodies = [
            #"{"project":"p","job":"train","parameters":{"a":"1"},"variables":{"K":"v"},"#
                + #""resources":{"cpus":1.5,"memoryBytes":1024},"priority":1}"#,
            #"{"job":"train","trials":5,"parallel":2,"seed":7,"model":"m@a","environment":"e"}"#,
            #"{"segments":{"by":{"field":"city"},"chains":{"oslo":["a","b"]}},"digests":["ab","cd"]}"#,
            #"{"gateway":"g","incarnation":"i","desiredRevision":1,"revisions":[{"endpoint":"e","#
                + #""revision":"r","state":"ready","requests":5,"errors":0,"latency":[[3,5],[7,1]]}]}"#,
            #"{"digest":"sha256:\#(String(repeating: "a", count: 64))","size_bytes":5,"manifest":{"#
                + #""format":"onnx","inputs":[{"name":"x","datatype":"FP32","shape":[-1,2]}],"#
                + #""outputs":[{"name":"y","datatype":"FP32","shape":[-1]}]}}"#,
            #"{"source":"s","keepsLocation":false,"experiment":{"id":"1","name":"n","tags":"#
                + #"[{"key":"a","value":"b"}]},"items":[{"id":"a","fingerprint":"b"}]}"#,
            #"{"source":"s","model":{"name":"m","description":"d","tags":[],"versions":[]}}"#,
        ].map(\.body)

        private static let words =
            #"[3,5],;[[;]];{};"a":;"latency":[;"revisions":[;"items":[;"tags":[;{"key":"a","value":"b"},;"variables":{;"digests":["a"];\ud800;\u0000;null,;"x","#
            .split(separator: ";").map(String.init)

        private static let files = [
            """
            project: flights
            environment: { python: requirements.txt }
            jobs:
              train:
                run: python train.py --rate ${rate}
                resources: { cpus: 1, memory: 2Gi, time: 10m }
                sweep:
                  objective: maximize auc
                  method: tpe
                  trials: 40
                  space:
                    rate: { log_uniform: [0.01, 0.5] }
                    depth: { int: [2, 10] }
            models:
              m:
                checks: { staging: ["auc >= 0.65"] }
            deployments:
              m:
                model: m
                rollout: { steps: [5%, 100%], hold: 2m, abort: ["error_rate > 1%"] }
            """, "project: p\n", "a: &x [1]\nb: *x\n",
        ].map(\.body)

        private static let metas = [
            """
            artifact_uri: /mlruns/0/a/artifacts
            run_id: a
            lifecycle_stage: active
            start_time: 1700000000000
            status: 3
            tags: {a: b, c: "d"}
            """
        ].map(\.body)
    }
#endif
