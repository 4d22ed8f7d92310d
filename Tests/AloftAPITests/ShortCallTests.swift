import AloftMLflow
import Dispatch
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import AloftAPI

/// Short calls stay on their connection's thread; nothing else holds it up.
struct ShortCallTests {
    /// Stands for the thread of a connection's event loop.
    private final class Loop: TaskExecutor {
        private static let key = DispatchSpecificKey<Bool>()
        private let queue = DispatchQueue(label: "loop")

        init() { queue.setSpecific(key: Self.key, value: true) }

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }

        /// Where the caller runs.
        static var place: String {
            DispatchQueue.getSpecific(key: key) == true ? "loop" : "elsewhere"
        }
    }

    /// Runs what is behind it, and sends the answer, on the loop.
    private struct OnLoop: RouterMiddleware {
        let loop: Loop

        func handle(
            _ request: Request, context: AloftRequestContext,
            next: (Request, AloftRequestContext) async throws -> Response
        ) async throws -> Response {
            var response = try await withTaskExecutorPreference(loop) {
                try await next(request, context)
            }
            let body = response.body
            response.body = ResponseBody(contentLength: body.contentLength) { writer in
                let writer = writer
                try await withTaskExecutorPreference(loop) { try await body.write(writer) }
            }
            return response
        }
    }

    /// Says where the handler ran.
    private func answer(
        _ method: HTTPRequest.Method, _ path: String, bodyBytes: Int = 0
    ) async throws -> String {
        let router = Router(context: AloftRequestContext.self)
        router.add(middleware: OnLoop(loop: Loop()))
        router.add(middleware: FrontMiddleware(carried: MLflowPaths.carried))
        for method in [HTTPRequest.Method.get, .post] {
            router.on("/streamed", method: method) { _, _ in
                Response(
                    status: .ok,
                    body: ResponseBody { writer in
                        try await writer.write(ByteBuffer(string: Loop.place))
                        try await writer.finish(nil)
                    })
            }
            router.on("**", method: method) { _, _ in
                let place = Loop.place
                return Response(
                    status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: place)))
            }
        }
        let body = bodyBytes > 0 ? ByteBuffer(repeating: 0x20, count: bodyBytes) : nil
        let sized: HTTPFields = [.contentLength: "\(bodyBytes)"]
        return try await Application(router: router).test(.router) { client in
            try await client.execute(
                uri: path, method: method, headers: method == .post ? sized : [:], body: body
            ) { String(buffer: $0.body) }
        }
    }

    @Test(arguments: [
        "create", "update", "log-metric", "log-parameter", "log-batch", "set-tag", "delete-tag",
    ])
    func `what training logs stays on the thread of its connection`(call: String) async throws {
        #expect(try await answer(.post, "/api/2.0/mlflow/runs/\(call)", bodyBytes: 100) == "loop")
        #expect(
            try await answer(.post, "/ajax-api/2.0/mlflow/runs/\(call)", bodyBytes: 1) == "loop")
    }

    @Test(arguments: [
        "/api/2.0/mlflow/runs/search", "/api/2.0/mlflow/runs/delete", "/api/2.0/mlflow/runs/",
        "/api/2.0/mlflow/runs/log-metric/x", "/api/2.0/mlflow/experiments/create",
        "/api/v1/jobs",
    ])
    func `every other call leaves it`(path: String) async throws {
        #expect(try await answer(.post, path, bodyBytes: 100) == "elsewhere")
    }

    @Test func `a call of another method or with a large body leaves it`() async throws {
        let path = "/api/2.0/mlflow/runs/log-batch"
        #expect(try await answer(.get, path) == "elsewhere")
        #expect(try await answer(.post, path, bodyBytes: 128 << 10) == "loop")
        #expect(try await answer(.post, path, bodyBytes: 128 << 10 + 1) == "elsewhere")
    }

    @Test func `an answer that is made while it is sent is made elsewhere`() async throws {
        #expect(try await answer(.get, "/streamed") == "elsewhere")
        #expect(try await answer(.post, "/streamed", bodyBytes: 10) == "elsewhere")
    }
}
