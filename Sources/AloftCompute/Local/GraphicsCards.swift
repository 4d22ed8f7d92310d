import Foundation

/// The machine's GPUs.
package enum GraphicsCards {
    /// Their UUIDs in the driver's order; none where there is no driver. Asks `nvidia-smi`, so it
    /// may take a second.
    package static func slots() -> [String] {
        guard let program = Executable.find("nvidia-smi", path: nil) else { return [] }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["-L"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return [] }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0
            ? slots(listing: String(decoding: data, as: UTF8.self)) : []
    }

    /// Reads lines such as `GPU 0: NVIDIA H200 (UUID: GPU-5d7e…)`.
    static func slots(listing: String) -> [String] {
        listing.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("GPU "), let begin = line.range(of: "(UUID: ") else { return nil }
            return String(line[begin.upperBound...].prefix { $0 != ")" })
        }
    }
}
