import AloftProcess
import Foundation
import NIOCore

/// One Python worker: the process, and the socket to it. Used by one thread.
final class WorkerProcess {
    /// Asked while the worker makes us wait; throws to end the wait.
    typealias Check = () throws(InferenceError) -> Void

    private let processID: pid_t
    private let socketPath: String
    /// Whether `processID` is the guard of namespaces.
    private let isGuarded: Bool
    private var descriptor: Int32 = -1
    private var hasEnded = false
    /// The number of the last request that was sent to it.
    var lastIdentifier: UInt64 = 0
    private var nextCheck = NIODeadline.now()
    private var pollMilliseconds: Int32 = 100
    /// What came and was not read yet.
    private var input = [UInt8](repeating: 0, count: WorkerProcess.inputBytes)
    private var inputRange = 0..<0

    private static let inputBytes = 64 << 10
    private static let checkInterval = TimeAmount.milliseconds(100)

    /// Starts the process; its output is appended to `log`.
    ///
    /// - Throws: `InferenceError.workerFailed`.
    init(
        command: PythonWorkerCommand, socketPath: String, log: String
    ) throws(InferenceError) {
        self.socketPath = socketPath
        isGuarded = command.isolation.kind == .namespaces
        let arguments = [
            "-m", "aloft_models.worker", "--model", command.modelFolder, "--socket", socketPath,
        ]
        do {
            processID = try Spawn(
                executable: command.python, arguments: arguments, variables: command.environment,
                output: log, isolation: command.isolation
            ).start()
        } catch {
            throw .workerFailed(reason: "\(error)")
        }
    }

    deinit { end() }

    /// False once the process has ended; reaps it.
    func isRunning() -> Bool {
        guard !hasEnded else { return false }
        var status: Int32 = 0
        if waitpid(processID, &status, WNOHANG) == processID { hasEnded = true }
        return !hasEnded
    }

    /// Ends the process and all that it started. A second call does nothing.
    func end() {
        if descriptor >= 0 {
            close(descriptor)
            descriptor = -1
        }
        if !hasEnded {
            kill(-processID, SIGKILL)
            kill(processID, SIGKILL)
            var status: Int32 = 0
            waitpid(processID, &status, 0)
            hasEnded = true
        }
        unlink(socketPath)
    }

    /// The memory that the process holds, in bytes.
    var residentBytes: Int {
        let program = isGuarded ? GuardedTree.program(of: processID) : processID
        guard let text = try? String(contentsOfFile: "/proc/\(program)/statm", encoding: .utf8),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return 0 }
        return pages &* Int(clamping: sysconf(Int32(clamping: _SC_PAGESIZE)))
    }

    func nextIdentifier(_ offset: UInt64) -> UInt64 { lastIdentifier &+ 1 &+ offset }

    /// Whether it is time to look at the process again; then it is not for a tenth of a second.
    func takeCheck() -> Bool {
        let now = NIODeadline.now()
        guard now >= nextCheck else { return false }
        nextCheck = now + Self.checkInterval
        return true
    }

    /// Asks the check after this time, or sooner.
    func waitAtMost(_ time: TimeAmount) {
        pollMilliseconds = Int32(
            truncatingIfNeeded: max(1, min(100, time.nanoseconds / 1_000_000 + 1)))
    }

    // MARK: The socket

    /// Connects as soon as the worker listens.
    func connect() throws(InferenceError) {
        for _ in 0..<1200 {
            guard isRunning() else {
                throw .workerFailed(reason: "the process ended as it started; see its log")
            }
            if tryConnect() { return }
            usleep(50_000)
        }
        throw .workerFailed(reason: "it does not listen")
    }

    private func tryConnect() -> Bool {
        let candidate = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard candidate >= 0 else { return false }
        _ = fcntl(candidate, F_SETFD, FD_CLOEXEC)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(socketPath.utf8)
        let isShort = path.count < MemoryLayout.size(ofValue: address.sun_path)
        withUnsafeMutableBytes(of: &address.sun_path) {
            if isShort { $0.copyBytes(from: path) }
        }
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(candidate, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard isShort, status == 0 else {
            close(candidate)
            return false
        }
        descriptor = candidate
        return true
    }

    /// Writes all of it.
    func send(_ bytes: [UInt8], check: Check) throws(InferenceError) {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(InferenceError) in try send(bytes, check: check) }
        }
        try result.get()
    }

    func send(_ bytes: UnsafeRawBufferPointer, check: Check) throws(InferenceError) {
        var sent = 0
        while sent < bytes.count {
            let count = Foundation.send(
                descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent,
                Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            if count > 0 {
                sent += count
            } else if errno == EAGAIN || errno == EINTR {
                try check()
                wait(for: Int16(POLLOUT))
            } else {
                throw .workerFailed(reason: "the process ended")
            }
        }
    }

    /// Reads a whole message.
    func receive(
        check: Check
    ) throws(InferenceError) -> (message: WorkerFrames.Message, payload: [UInt8]) {
        let (headerLength, payloadLength) = Self.lengths(
            try read(WorkerFrames.lengthBytes, check))
        guard headerLength <= WorkerFrames.Limit.headerBytes,
            payloadLength <= WorkerFrames.Limit.payloadBytes
        else {
            throw .workerFailed(
                reason: "it announces a message of \(headerLength) and \(payloadLength) bytes; "
                    + "\(WorkerFrames.Limit.headerBytes) and \(WorkerFrames.Limit.payloadBytes) "
                    + "are taken")
        }
        let header = try read(Int(clamping: headerLength), check)
        let payload = try read(Int(clamping: payloadLength), check)
        guard
            let message = try? JSONDecoder().decode(WorkerFrames.Message.self, from: Data(header))
        else { throw .workerFailed(reason: "its message is unreadable") }
        return (message, payload)
    }

    private static func lengths(_ bytes: [UInt8]) -> (header: UInt32, payload: UInt64) {
        bytes.withUnsafeBytes {
            (
                UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)),
                UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 4, as: UInt64.self))
            )
        }
    }

    /// Before so many bytes have come no more memory is taken, whatever the length says.
    private static let firstBytes = 64 << 10

    /// The next bytes. Small messages come many at a time; of a large one the memory grows with what
    /// comes.
    private func read(_ count: Int, _ check: Check) throws(InferenceError) -> [UInt8] {
        if count <= Self.inputBytes {
            while inputRange.count < count { try refill(of: count, check) }
            defer { inputRange = inputRange.lowerBound + count..<inputRange.upperBound }
            return Array(input[inputRange.prefix(count)])
        }
        var bytes = Array(input[inputRange])
        var filled = bytes.count
        inputRange = 0..<0
        // traps: the caller has held the count against its limit, and it is more than was kept
        bytes.append(
            contentsOf: repeatElement(0, count: min(count, Self.firstBytes + filled) - filled))
        while filled < count {
            if filled == bytes.count {
                bytes.append(contentsOf: repeatElement(0, count: min(count - filled, filled)))
            }
            let result = bytes.withUnsafeMutableBytes { buffer in
                Result { () throws(InferenceError) in
                    try receive(
                        UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]),
                        have: filled, of: count, check)
                }
            }
            filled += try result.get()
        }
        return bytes
    }

    private func refill(of count: Int, _ check: Check) throws(InferenceError) {
        let kept = inputRange.count
        if inputRange.lowerBound > 0 {
            // traps: a count
            input.replaceSubrange(0..<kept, with: Array(input[inputRange]))
            // traps: a count
            inputRange = 0..<kept
        }
        let result = input.withUnsafeMutableBytes { buffer in
            Result { () throws(InferenceError) in
                try receive(
                    UnsafeMutableRawBufferPointer(rebasing: buffer[kept...]), have: kept,
                    of: count, check)
            }
        }
        let received = try result.get()
        // traps: two counts
        inputRange = 0..<kept + received
    }

    /// Some bytes, at least one; waits for them.
    private func receive(
        _ buffer: UnsafeMutableRawBufferPointer, have filled: Int, of count: Int, _ check: Check
    ) throws(InferenceError) -> Int {
        while true {
            let received = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            if received > 0 { return received }
            guard received < 0, errno == EAGAIN || errno == EINTR else {
                throw .workerFailed(
                    reason: filled == 0
                        ? "the process ended"
                        : "the process ended within a message: \(filled) of \(count) bytes came")
            }
            try check()
            wait(for: Int16(POLLIN))
        }
    }

    private func wait(for events: Int16) {
        var descriptors = pollfd(fd: descriptor, events: events, revents: 0)
        poll(&descriptors, 1, pollMilliseconds)
    }
}
