package import AloftDomain
import AloftEdge

/// How a gateway runs. Bounds are chosen so that no client can make it grow or stall.
package struct GatewayConfiguration: Sendable {
    package var listen: ListenAddress
    /// Where gRPC is answered; `nil` where it is not.
    package var grpcListen: ListenAddress?
    /// Names beside those of `listen` under which callers ask.
    package var hostNames: [String] = []
    /// The folder for models, the last desired state and the prediction log.
    package var folder: String
    /// Whether callers must send a token.
    package var asksForToken = false
    /// Event loops; each answers its connections by itself.
    package var threads = 1
    /// The largest body of a request, in bytes.
    package var bodyLimitBytes = 64 << 20
    /// Bytes of bodies that are held at one time; `nil` for a share of the memory that there is.
    package var bodyBudgetBytes: Int?
    /// From the first byte of a request to the last.
    package var requestTimeout = Duration.seconds(30)
    /// How long an open connection may say nothing.
    package var idleTimeout = Duration.seconds(120)
    /// How long an answer may take when the caller gives no deadline.
    package var answerTimeout = Duration.seconds(60)
    /// A model that takes longer than this for one row is run beside the event loop.
    package var inlineLimit = Duration.microseconds(150)
    /// Rows that one call of a batched model takes at most; 1 never batches.
    package var batchRows = 64
    /// Requests that may wait for one model before more are shed, whatever memory there is.
    package var queueLimit = 100_000
    /// What the requests that wait for one model may take in memory, in bytes.
    package var waitingBytes = ByteBudget.share(largest: 1 << 20) / 2
    /// Copies of requests that may wait for shadows before more are let go.
    package var shadowQueueLimit = 256
    /// How long an answer of a model may take as a rule, waiting and its share of a batch included.
    /// Batches and queues are kept short enough for it. `nil`: a request waits until its deadline, or for
    /// two seconds where it names none.
    package var latencyTarget: Duration?
    /// Memory for models, in bytes; beyond it the least recently used are evicted and stay on disk.
    /// `nil` for all.
    package var modelMemoryBytes: Int?
    /// How long what was accepted may take to be answered when the gateway ends; what still waits then
    /// is shed.
    package var drainLimit = Duration.seconds(10)
    /// How long connections may end by themselves when another gateway has taken over.
    package var handoverGrace = Duration.seconds(30)
    /// How long a gateway that takes over may load models before it does.
    package var handoverTimeout = Duration.seconds(120)
    /// The prediction log's size on disk, in bytes; the oldest segments go first.
    package var logLimitBytes = 1 << 30
    /// What the prediction log keeps of a request and of a reply, in bytes.
    package var logBodyLimitBytes = 256 << 10
    /// Whether the prediction log is sent on to the server.
    package var shipsLog = true
    /// Where each request gets a line; `nil` for none.
    package var accessLogPath: String?
    /// ONNX Runtime's shared library.
    package var onnxLibraryPath: String
    /// The Python interpreter of model workers; `nil` builds one for each set of requirements.
    package var workerPython: String?
    /// The folder with the package `aloft_models`.
    package var pythonPackagePath: String?
    /// Memory that one Python worker may take, in bytes.
    package var workerMemoryBytes = 4 << 30
    /// What the workers of one Python model may take together of which nobody said how many there are.
    package var crewMemoryBytes = ByteBudget.share(largest: 1 << 20) * 4

    package init(listen: ListenAddress, folder: String, onnxLibraryPath: String) {
        self.listen = listen
        self.folder = folder
        self.onnxLibraryPath = onnxLibraryPath
    }

    /// Everything that is wrong with it, in sentences.
    package var faults: [String] {
        var faults: [String] = []
        for (option, address) in [("--listen", listen), ("--grpc", grpcListen)] {
            guard let address, !address.isLoopback, !asksForToken else { continue }
            faults.append(
                "\(option) \(address) is not loopback, and without tokens anybody who reaches it "
                    + "could use the models. Add --auth, and set ALOFT_TOKEN to a token made with "
                    + "`aloft token create gateway`.")
        }
        if threads < 1 { faults.append("--threads \(threads): expected 1 or more") }
        if bodyLimitBytes < 1024 { faults.append("the body limit must be at least 1024 bytes") }
        return faults
    }
}
