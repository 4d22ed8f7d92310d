import AloftDomain
import Foundation
import Logging
import Synchronization

/// Hot restart: where a gateway that is started anew asks the running one of the same folder for its listening
/// socket: `handover/socket` in the gateway's folder, which only its user may enter.
///
/// The one that starts sends `take HOST:PORT`. The running one answers `yes PROCESS` with the socket, or
/// `no …`. With `yes` the running one accepts no more; as soon as the new one accepts connections it
/// says `taken`, and the old one ends. Where it does not say so, the old one accepts again. Connections
/// that come in between wait in the socket itself, so none is refused. Before that, each on a connection
/// of its own, it may ask for the sockets of further listeners: `door HOST:PORT`, answered with `yes
/// PROCESS` and the socket, or `no …`.
// `state` guards what changes; the descriptors are closed by the thread that waits on them.
final class HandoverPoint: Sendable {
    private let folder: String
    private let listen: ListenAddress
    private let listener: Int32
    private let descriptor: Int32
    private let logger: Logger
    private let pause: @Sendable (Bool) -> Void
    private let onTaken: @Sendable () -> Void
    private let state = Mutex(State())
    private let released = TimedSemaphore()

    private struct State {
        var isClosed = false
        var isTaken = false
        /// Sockets of further listeners, by address; owned by this.
        var listeners: [ListenAddress: ListeningSocket] = [:]
        /// Listeners that accept still.
        var openListeners = 0
        /// The thread has ended; the descriptor's number may be another's by now.
        var isDescriptorClosed = false
    }

    private static let secondsToAsk = 60
    /// Nobody accepts meanwhile.
    private static let secondsToTake = 5
    private static let secondsToLetGo = 5

    /// Begins to answer, in the place of an earlier gateway if there was one.
    ///
    /// - Parameters:
    ///   - listener: the socket to hand over; stays the caller's.
    ///   - pause: stops accepting connections, or with `false` begins again; returns when that is done.
    ///   - onTaken: called once, when another process accepts connections.
    init(
        folder: String, listen: ListenAddress, listener: Int32, logger: Logger,
        pause: @escaping @Sendable (Bool) -> Void, onTaken: @escaping @Sendable () -> Void
    ) throws {
        self.folder = folder
        self.listen = listen
        self.listener = listener
        self.logger = logger
        self.pause = pause
        self.onTaken = onTaken
        try FileManager.default.createDirectory(
            atPath: HandoverPath.folder(folder), withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        unlink(HandoverPath.socket(folder))
        descriptor = try HandoverPath.open(folder) { socket, address, length in
            bind(socket, address, length) == 0 && Foundation.listen(socket, 4) == 0
        }
        Thread.detachNewThread { [self] in serve() }
    }

    var isTaken: Bool { state.withLock(\.isTaken) }

    /// Hands this socket over as well, where it is asked for; takes it and closes it in the end.
    func offer(_ socket: ListeningSocket, at address: ListenAddress) {
        state.withLock { state in
            guard !state.isClosed else { return socket.close() }
            state.listeners[address] = socket
        }
    }

    /// How many listeners must close before the successor's may open.
    func expectLetGo(_ listeners: Int) { state.withLock { $0.openListeners = listeners } }

    /// A listener accepts no more.
    func letGo() {
        state.withLock { $0.openListeners -= 1 }
        released.signal()
    }

    /// Answers no more and closes the sockets of listeners. The socket's name goes unless it is another's
    /// by now.
    func close() {
        state.withLock { state in
            state.isClosed = true
            for socket in state.listeners.values { socket.close() }
            state.listeners = [:]
            if !state.isTaken { unlink(HandoverPath.socket(folder)) }
            // Wakes the thread.
            if !state.isDescriptorClosed { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    private func serve() {
        defer {
            state.withLock { state in
                state.isDescriptorClosed = true
                Foundation.close(descriptor)
            }
        }
        while !state.withLock({ $0.isClosed || $0.isTaken }) {
            let connection = accept(descriptor, nil, nil)
            guard connection >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                return
            }
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            do throws(DescriptorStream.Failure) {
                try answer(DescriptorStream(connection))
            } catch {
                logger.warning(
                    "a gateway that would take over did not; serving on",
                    metadata: ["error": "\(error)"])
            }
        }
    }

    private func answer(_ stream: DescriptorStream) throws(DescriptorStream.Failure) {
        stream.setTimeout(seconds: Self.secondsToAsk)
        // One that only looks whether somebody is here asks nothing.
        guard let question = try? stream.receive().text else { return }
        // text: what our own later program asks
        if question.hasPrefix("door "), let address = ListenAddress(String(question.dropFirst(5))) {
            return try handListener(at: address, stream)
        }
        guard question == "take \(listen)" else {
            return try stream.send("no process \(getpid()) listens on \(listen)")
        }
        // Two must not accept from one socket at a time: one would find nothing where it was told to look.
        pause(true)
        do throws(DescriptorStream.Failure) {
            try stream.send("yes \(getpid())", passing: listener)
            stream.setTimeout(seconds: Self.secondsToTake)
            guard try stream.receive().text == "taken" else { return pause(false) }
        } catch {
            pause(false)
            throw error
        }
        state.withLock { $0.isTaken = true }
        logger.info("another gateway took over; answering what has begun")
        onTaken()
        // The successor hears from the end of this conversation that its listeners may accept.
        let limit = ContinuousClock.now + .seconds(Self.secondsToLetGo)
        while state.withLock({ $0.openListeners > 0 }),
            released.wait(atMost: max(.zero, limit - ContinuousClock.now))
        {}
    }

    private func handListener(
        at address: ListenAddress, _ stream: DescriptorStream
    ) throws(DescriptorStream.Failure) {
        try state.withLock { state throws(DescriptorStream.Failure) in
            guard let socket = state.listeners[address] else {
                return try stream.send("no door at \(address)")
            }
            try stream.send("yes \(getpid())", passing: socket.descriptor)
        }
    }
}

/// The name of the hand-over socket. A socket's address has 107 bytes at most, so it is reached by way
/// of its open folder, however long the path.
enum HandoverPath {
    static func folder(_ gateway: String) -> String { gateway + "/handover" }
    static func socket(_ gateway: String) -> String { folder(gateway) + "/socket" }

    /// A new socket on which `use` (bind or connect) succeeded.
    static func open(
        _ gateway: String, _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Bool
    ) throws(DescriptorStream.Failure) -> Int32 {
        let place = Foundation.open(folder(gateway), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard place >= 0 else { throw .init(step: folder(gateway), errnoCode: errno) }
        defer { close(place) }
        let kind = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = Foundation.socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { throw .init(step: "socket", errnoCode: errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) {
            $0.copyBytes(from: "/proc/self/fd/\(place)/socket".utf8)
        }
        let isDone = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                use(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard isDone else {
            let code = errno
            close(descriptor)
            throw .init(step: "\(socket(gateway))", errnoCode: code)
        }
        return descriptor
    }
}
