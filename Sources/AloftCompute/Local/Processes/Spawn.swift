import CProcess
import Foundation

/// Starts a program in a session of its own.
struct Spawn {
    var executable: String
    var arguments: [String]
    var variables: [String: String]
    var folder: String?
    /// Where its output is appended; ours if `nil`.
    var output: String?
    /// `cgroup.procs` files that it joins before it begins.
    var cgroups: [String] = []
    var addressSpaceBytes: Int64?
    /// Whether it is killed when the thread that started it ends.
    var diesWithParent = false

    func start() throws -> pid_t {
        let words = ([executable] + arguments).map { strdup($0) } + [nil]
        let environment = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        let joins = cgroups.map { UnsafePointer(strdup($0)) } + [nil]
        let texts = [strdup(executable), folder.map { strdup($0) }, output.map { strdup($0) }]
        defer {
            for text in words + environment { free(text) }
            for text in joins { free(UnsafeMutableRawPointer(mutating: text)) }
            for text in texts { free(text ?? nil) }
        }
        return try words.withUnsafeBufferPointer { words in
            try environment.withUnsafeBufferPointer { environment in
                try joins.withUnsafeBufferPointer { joins in
                    var how = aloft_spawn()
                    how.executable = UnsafePointer(texts[0] ?? nil)
                    how.arguments = words.baseAddress
                    how.environment = environment.baseAddress
                    how.folder = UnsafePointer(texts[1] ?? nil)
                    how.output = UnsafePointer(texts[2] ?? nil)
                    how.cgroups = joins.baseAddress
                    how.address_space_bytes = UInt64(max(0, addressSpaceBytes ?? 0))
                    how.parent_death_signal = diesWithParent ? SIGKILL : 0
                    return try call(&how)
                }
            }
        }
    }

    private func call(_ how: inout aloft_spawn) throws -> pid_t {
        var processID: pid_t = 0
        var step: Int32 = 0
        let error = aloft_spawn(&how, &processID, &step)
        guard error == 0 else {
            throw SpawnFailure(executable: executable, step: step, number: error)
        }
        return processID
    }
}

struct SpawnFailure: Error, CustomStringConvertible {
    let executable: String
    let step: Int32
    let number: Int32

    var description: String {
        let doing =
            switch UInt32(step) {
            case ALOFT_SPAWN_FOLDER.rawValue: "entering its folder"
            case ALOFT_SPAWN_OUTPUT.rawValue: "opening its log"
            case ALOFT_SPAWN_CGROUP.rawValue: "joining its cgroup"
            case ALOFT_SPAWN_LIMIT.rawValue: "setting its limits"
            default: "starting it"
            }
        return "\(executable): \(doing): \(String(cString: strerror(number)))"
    }
}
