import CProcess
import Foundation

/// What a job prints, from a pipe to its log: the first part as it comes, the last part when the job
/// has ended, and between them a line that says what was cut. Works on when the disk is full.
final class JobLog {
    /// Kept in memory, of the end.
    static let mostOfEnd = 1 << 20
    /// Taken from the pipe before others have their turn.
    private static let mostAtOnce = 1 << 20

    /// Given to programs as their output.
    let writer: Int32
    let reader: Int32
    private let file: Int32
    private let limitBytes: Int
    private let endBytes: Int
    private var written = 0
    private var end = Data()
    private var cutBytes = 0
    private var isCutting = false
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private var mask: LogMask

    /// - Parameters:
    ///   - file: a descriptor of the log, to append to.
    ///   - limitBytes: what the log may take in all.
    ///   - masked: what must not be seen in it.
    init(file: Int32, limitBytes: Int, masked: [String] = []) throws {
        mask = LogMask(masked)
        var ends: [Int32] = [-1, -1]
        let error = aloft_pipe(&ends)
        guard error == 0 else {
            throw ComputeError.cannotStart(
                reason: "the system gives no pipe: \(String(cString: strerror(error)))")
        }
        (reader, writer) = (ends[0], ends[1])
        self.file = file
        self.limitBytes = max(4096, limitBytes)
        endBytes = min(Self.mostOfEnd, self.limitBytes / 2)
        written = Self.size(of: file)
    }

    /// How much the file holds.
    var size: Int64 { Int64(Self.size(of: file)) }

    /// A line of ours.
    func say(_ text: String) {
        drain()
        add(Array("aloft: \(text)\n".utf8)[...])
    }

    /// Takes what is in the pipe, at most a mebibyte. Never waits.
    func drain() {
        var taken = 0
        while taken < Self.mostAtOnce {
            let count = read(reader, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            taken += count
            if mask.isEmpty {
                add(buffer[..<count])
            } else {
                add(mask.pass(buffer[..<count])[...])
            }
        }
    }

    /// Writes the last part. Whatever printed must have ended.
    func finish() {
        while true {
            let before = written + end.count + cutBytes
            drain()
            if before == written + end.count + cutBytes { break }
        }
        add(mask.rest()[...])
        guard isCutting else { return }
        cutBytes += max(0, end.count - endBytes)
        end = Data(end.suffix(endBytes))
        if cutBytes > 0 {
            _ = append(Array("aloft: \(cutBytes) bytes are cut here\n".utf8)[...])
        }
        _ = append(Array(end)[...])
        isCutting = false
        end = Data()
    }

    private func add(_ bytes: ArraySlice<UInt8>) {
        guard !isCutting else { return keep(bytes) }
        let room = limitBytes - endBytes - written
        let first = bytes.prefix(max(0, room))
        let count = append(first)
        guard count < bytes.count else { return }
        isCutting = true
        let reason =
            count < first.count
            ? "the disk is full" : "the log is over its limit of \(limitBytes) bytes"
        _ = append(
            Array("\naloft: \(reason); its last part follows when the job ends\n".utf8)[...])
        keep(bytes.dropFirst(count))
    }

    /// Keeps the end, in steps so that bytes are not moved for each line.
    private func keep(_ bytes: ArraySlice<UInt8>) {
        end.append(contentsOf: bytes)
        guard end.count > 2 * endBytes else { return }
        cutBytes += end.count - endBytes
        end = Data(end.suffix(endBytes))
    }

    /// Returns how much was written: less where the disk is full.
    private func append(_ bytes: ArraySlice<UInt8>) -> Int {
        let count = bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count, let base = bytes.baseAddress {
                let count = write(file, base + done, bytes.count - done)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                done += count
            }
            return done
        }
        written += count
        return count
    }

    private static func size(of file: Int32) -> Int {
        var facts = stat()
        return fstat(file, &facts) == 0 ? Int(facts.st_size) : 0
    }
}
