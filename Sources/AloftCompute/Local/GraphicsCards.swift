import AloftProcess
import Foundation

/// The machine's GPUs.
package enum GraphicsCards {
    /// Their UUIDs in the driver's order; none where there is no driver. Asks `nvidia-smi`, so it
    /// may take a second.
    package static func slots() -> [String] {
        guard let program = Executable.find("nvidia-smi", path: nil) else { return [] }
        guard let said = try? output(of: program, ["-L"]) else { return [] }
        return slots(listing: said)
    }

    /// What a program writes to its standard output; nil where it fails.
    private static func output(of program: String, _ arguments: [String]) throws -> String? {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return nil }
        let output = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        let spawn = Spawn(
            executable: program, arguments: arguments, variables: [:], outputDescriptor: ends[1])
        let started = Result { try spawn.start() }
        close(ends[1])
        let process = try started.get()
        let data = output.readDataToEndOfFile()
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status == 0 ? String(decoding: data, as: UTF8.self) : nil
    }

    /// Reads lines such as `GPU 0: NVIDIA H200 (UUID: GPU-5d7e…)`.
    static func slots(listing: String) -> [String] {
        listing.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("GPU "), let begin = line.range(of: "(UUID: ") else { return nil }
            return String(line[begin.upperBound...].prefix { $0 != ")" })
        }
    }
}
