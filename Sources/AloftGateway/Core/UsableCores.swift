import Foundation
import NIOCore

/// The cores that this process may use: of its share of the machine, those that it is not kept from.
enum UsableCores {
    static var count: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        return max(1, min(System.coreCount, allowed(status) ?? System.coreCount))
    }

    /// The bits of the line `Cpus_allowed` of a process's status (proc_pid_status(5)): groups of
    /// hexadecimal digits, with commas between them.
    static func allowed(_ status: String) -> Int? {
        let name = "Cpus_allowed:"
        // text: the kernel's own file
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else {
            return nil
        }
        let bits = line.dropFirst(name.count).reduce(0) {
            $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0)
        }
        return bits > 0 ? bits : nil
    }
}
