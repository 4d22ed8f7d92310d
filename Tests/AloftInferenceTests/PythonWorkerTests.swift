import AloftInference
import AloftTestKit
import Foundation
import Logging
import NIOCore
import Testing

/// A worker that speaks the protocol and misbehaves as its input says: -1 ends the process, -2 hangs,
/// -3 takes 400 MiB, -4 fails, -5 to -7 break the frame, -8 and -9 say how it was asked; anything else comes back doubled, or as often as the parameter `factor`.
private let misbehavingWorker = """
    import argparse, json, os, socket, struct, sys, time
    parser = argparse.ArgumentParser()
    parser.add_argument("--model")
    parser.add_argument("--socket")
    options = parser.parse_args()
    print("hello from the worker", flush=True)
    if options.model.endswith("broken"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(options.socket)
        listener.listen()
        c, _ = listener.accept()
        head = json.dumps({"kind": "failed", "error": {"code": "x", "message": "no such module"}}).encode()
        c.sendall(struct.pack("<IQ", len(head), 0) + head)
        time.sleep(1)
        sys.exit(1)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(options.socket)
    listener.listen()
    connection, _ = listener.accept()
    stream = connection.makefile("rb")
    def send(head, payload=b""):
        head = json.dumps(head).encode()
        connection.sendall(struct.pack("<IQ", len(head), len(payload)) + head + payload)
    tensor = lambda name: {"name": name, "datatype": "FP32", "shape": [-1]}
    send({"kind": "ready", "inputs": [tensor("x")], "outputs": [tensor("y")]})
    keep = []
    together = 0
    while True:
        lengths = stream.read(12)
        if len(lengths) < 12:
            sys.exit(0)
        head, payload = struct.unpack("<IQ", lengths)
        request = json.loads(stream.read(head))
        if request["kind"] == "batch":
            together = request["count"]
            continue
        data = stream.read(payload)
        values = struct.unpack(f"<{len(data) // 4}f", data)
        if values[0] == -1:
            os._exit(3)
        if values[0] == -2:
            time.sleep(3600)
        if values[0] == -3:
            keep.append(b"x" * (400 << 20))
            time.sleep(5)
        if values[0] == -5:  # lengths that nobody can mean
            connection.sendall(struct.pack("<IQ", 0xFFFFFFFF, 1 << 63))
            continue
        if values[0] == -6:  # a payload that never comes
            connection.sendall(struct.pack("<IQ", 2, 1 << 29) + b"{}")
            os._exit(4)
        if values[0] == -7:  # no JSON
            connection.sendall(struct.pack("<IQ", 2, 0) + b"{]")
            continue
        if values[0] == -4:
            send({"id": request["id"], "error": {"code": "bad", "message": "the model says no"}})
            continue
        if values[0] == -8:  # takes a moment, and says how many came together
            time.sleep(0.2)
            values = (together / 2,)
        if values[0] == -9:  # takes a moment, and says who answers
            time.sleep(0.1)
            values = (os.getpid() / 2,)
        reply = struct.pack(f"<{len(values)}f", *[request["parameters"].get("factor", 2) * value for value in values])
        send({"id": request["id"], "outputs": [{"name": "y", "datatype": "FP32",
              "shape": [len(values)], "offset": 0, "length": len(reply)}]}, reply)
    """

@Suite struct PythonWorkerTests {
    private struct World {
        let pool: PythonWorkerPool
        let log: String

        init(
            model: String = "model", memoryBytes: Int = 1 << 30, mostWorkers: Int = 1,
            workers: Int? = nil, batchRows: Int = 1
        ) throws {
            let folder = try ServingFixtures.makeFolder()
            let package = folder + "/aloft_models/worker"
            try FileManager.default.createDirectory(
                atPath: package, withIntermediateDirectories: true)
            try Data(misbehavingWorker.utf8)
                .write(to: URL(fileURLWithPath: package + "/__main__.py"))
            var limits = PythonWorkerPool.Limits()
            limits.memoryBytes = memoryBytes
            limits.mostWorkers = mostWorkers
            limits.idleTime = .milliseconds(50)
            var settings = WorkerBatcher.Settings()
            settings.workers = workers
            settings.batchRows = batchRows
            log = folder + "/worker.log"
            pool = try PythonWorkerPool(
                command: PythonWorkerCommand(
                    python: "/usr/bin/env", modelFolder: folder + "/" + model, environment: [:]
                ).withPython(), outputs: [], limits: limits, settings: settings, log: log,
                socketFolder: folder,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        /// One request; the result, or the error's code.
        func ask(
            _ value: Float, milliseconds: Int = 20_000, parameters: String = "{}",
            namesDeadline: Bool = true
        ) async -> String {
            let request = InferenceRequest()
            request.fillWithZeros(pool.signature)
            let body =
                #"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[\#(value)]}],"#
                + #""parameters":\#(parameters)}"#
            let bytes = Data(body.utf8)
            do {
                try bytes.withUnsafeBytes {
                    try InferRequestReader.read($0, signature: pool.signature, into: request)
                }
            } catch {
                return "\(error)"
            }
            let reply = TensorSet()
            return await withCheckedContinuation { continuation in
                pool.submit(
                    QueuedRequest(
                        request: request, reply: reply,
                        deadline: .now() + .milliseconds(Int64(milliseconds)),
                        deadlineMilliseconds: milliseconds, namesDeadline: namesDeadline
                    ) { result in
                        switch result {
                        case .success:
                            let value = reply.bytes(reply.entries[0]).loadUnaligned(as: Float.self)
                            continuation.resume(returning: "\(value)")
                        case .failure(let error): continuation.resume(returning: error.code)
                        }
                    })
            }
        }
    }

    @Test func `a crash, a failure and a hang cost only the request that met them`()
        async throws
    {
        let world = try World()
        #expect(await world.ask(21) == "42.0")
        #expect(await world.ask(-4) == "model_failed")
        #expect(await world.ask(-1) == "worker_failed")
        #expect(await world.ask(1) == "2.0")
        #expect(await world.ask(-2, milliseconds: 300) == "deadline_exceeded")
        #expect(await world.ask(2) == "4.0")
        await world.pool.stop()
        let text = try String(contentsOfFile: world.log, encoding: .utf8)
        #expect(text.components(separatedBy: "hello from the worker").count == 4)
    }

    @Test func `a request's parameters reach the model, and those of the protocol do not`()
        async throws
    {
        let world = try World()
        let parameters = #"{"factor":3,"binary_data_output":false,"timeout":9000000}"#
        #expect(await world.ask(7, parameters: parameters) == "21.0")
        #expect(await world.ask(7) == "14.0")
        await world.pool.stop()
    }

    @Test func `many at once are answered each with its own`() async throws {
        let world = try World()
        await withTaskGroup(of: (Float, String).self) { group in
            for index in 0..<50 {
                group.addTask { (Float(index), await world.ask(Float(index))) }
            }
            for await (value, answer) in group { #expect(answer == "\(value * 2)") }
        }
        await world.pool.stop()
    }

    @Test func `who waits while the model answers is sent along together, where rows may be`()
        async throws
    {
        let world = try World(batchRows: 16)
        var most = 0
        for _ in 0..<20 where most < 2 {
            let counts = await answers(-8, callers: 12, world)
            most = counts.compactMap { Float($0).map { Int($0) } }.max() ?? 0
        }
        // How many meet depends on the machine; alone each says 0.
        #expect(most >= 2)
        await world.pool.stop()
        let alone = try World()
        #expect(await answers(-8, callers: 3, alone) == ["0.0", "0.0", "0.0"])
        await alone.pool.stop()
    }

    @Test func `as many workers answer at once as somebody asked for, and fewer when told so`()
        async throws
    {
        let world = try World(workers: 3)
        #expect(world.pool.workerCount == 3)
        var seen: Set<String> = []
        for _ in 0..<200 where seen.count < 3 {
            seen.formUnion(await answers(-9, callers: 6, world))
        }
        #expect(seen.count == 3)
        var settings = WorkerBatcher.Settings()
        settings.workers = 1
        world.pool.adjust(settings)
        try await eventually("one worker") { world.pool.workerCount == 1 }
        #expect(await world.ask(4) == "8.0")
        await world.pool.stop()
    }

    @Test func `as many workers answer as were asked for last, however quickly that changes`()
        async throws
    {
        let world = try World(workers: 3)
        func adjust(_ workers: Int) {
            var settings = WorkerBatcher.Settings()
            settings.workers = workers
            world.pool.adjust(settings)
        }
        for _ in 0..<5 {
            adjust(1)
            // Threads look at what is wanted when they have answered.
            async let answered = answers(4, callers: 12, world)
            _ = try await happens(within: .seconds(2), asking: .milliseconds(1)) {
                world.pool.workerCount != 3
            }
            adjust(3)
            #expect(Set(await answered) == ["8.0"])
            try await eventually("three workers") { world.pool.workerCount == 3 }
        }
        await world.pool.stop()
        try await eventually("no worker") { world.pool.workerCount == 0 }
    }

    @Test func `a backlog that stays gets another worker, which goes when there is nothing to do`()
        async throws
    {
        let world = try World(mostWorkers: 2)
        #expect(world.pool.workerCount == 1)
        var seen: Set<String> = []
        for _ in 0..<200 where seen.count < 2 {
            seen.formUnion(await answers(-9, callers: 12, world))
        }
        #expect(seen.count == 2)
        try await eventually("one worker") { world.pool.workerCount == 1 }
        await world.pool.stop()
    }

    @Test func `a burst of callers that wait is answered, and nobody is shed`() async throws {
        let world = try World()
        // A second and a half of work for one worker.
        let answers = await answers(-9, callers: 15, world, namesDeadline: false)
        #expect(answers.allSatisfy { Float($0) != nil })
        await world.pool.stop()
    }

    @Test func `one caller's short deadline costs neither the worker nor the others`() async throws
    {
        let world = try World()
        let first = await world.ask(-9)
        #expect(await world.ask(-9, milliseconds: 20) == "deadline_exceeded")
        #expect(await world.ask(-9) == first)
        await world.pool.stop()
    }

    private func answers(
        _ value: Float, callers: Int, _ world: World, namesDeadline: Bool = true
    ) async -> [String] {
        await withTaskGroup(of: String.self) { group in
            for _ in 0..<callers {
                group.addTask { await world.ask(value, namesDeadline: namesDeadline) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test func `a worker that takes more memory than it may is ended`() async throws {
        let world = try World(memoryBytes: 200 << 20)
        #expect(await world.ask(-3) == "worker_failed")
        #expect(await world.ask(3) == "6.0")
        await world.pool.stop()
    }

    @Test func `a broken frame ends its worker, and the next answers`() async throws {
        let world = try World()
        for value: Float in [-5, -6, -7] {
            #expect(await world.ask(value) == "worker_failed")
            #expect(await world.ask(1) == "2.0")
        }
        await world.pool.stop()
    }

    @Test func `a model that does not load says why`() throws {
        #expect {
            _ = try World(model: "broken")
        } throws: { error in
            (error as? InferenceError)?.message.contains("no such module") == true
        }
    }
}

extension PythonWorkerCommand {
    /// With the system's interpreter in place, and the folder of the model's parent as package path.
    fileprivate func withPython() -> PythonWorkerCommand {
        var command = self
        let candidates = [
            "/usr/bin/python3", "/usr/local/bin/python3",
        ]
        command.python =
            candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "python3"
        let package = URL(fileURLWithPath: modelFolder).deletingLastPathComponent().path
        command.environment = ["PYTHONPATH": package, "PATH": "/usr/bin:/bin:/usr/local/bin"]
        return command
    }
}
