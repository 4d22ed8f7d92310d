import CProcess
import Foundation

/// Starts a program in a session of its own, with no descriptor of ours: a listening socket that it
/// kept would hold our address after our end, and a client's connection would not end with us.
///
/// Foundation's `Process` is no substitute in a server: it reads past the end of its list of open
/// descriptors where there are more than some 1,300.
package struct Spawn {
    package var executable: String
    package var arguments: [String]
    package var variables: [String: String]
    package var folder: String?
    /// Where its output is appended; ours if `nil`.
    package var output: String?
    /// `cgroup.procs` files that it joins before it begins.
    package var cgroups: [String] = []
    package var addressSpaceBytes: Int64?
    /// Whether it is killed when the thread that started it ends.
    package var diesWithParent = false
    /// Its output, in place of `output`.
    package var outputDescriptor: Int32?
    /// The largest file that it may write.
    package var fileBytes: Int64?
    package var isolation = Isolation.none

    package init(
        executable: String, arguments: [String], variables: [String: String],
        folder: String? = nil, output: String? = nil, cgroups: [String] = [],
        addressSpaceBytes: Int64? = nil, diesWithParent: Bool = false,
        outputDescriptor: Int32? = nil, fileBytes: Int64? = nil, isolation: Isolation = .none
    ) {
        self.executable = executable
        self.arguments = arguments
        self.variables = variables
        self.folder = folder
        self.output = output
        self.cgroups = cgroups
        self.addressSpaceBytes = addressSpaceBytes
        self.diesWithParent = diesWithParent
        self.outputDescriptor = outputDescriptor
        self.fileBytes = fileBytes
        self.isolation = isolation
    }

    /// Runs the program to its end, which blocks the calling thread.
    ///
    /// - Returns: its exit status; 128 and the signal's number where one ended it.
    /// - Throws: `SpawnFailure`.
    package func run() throws -> Int32 {
        let process = try start()
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else {
                throw SpawnFailure(executable: executable, step: 0, number: errno)
            }
        }
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : 128 + signal
    }

    /// - Returns: the process, which the caller waits for; in namespaces the guard, which ends as the
    ///   program does.
    /// - Throws: `SpawnFailure`.
    package func start() throws -> Int32 {
        if let reason = isolation.refusal {
            throw SpawnFailure(executable: executable, isolationRefused: reason)
        }
        let words = ([executable] + arguments).map { strdup($0) } + [nil]
        let environment = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        let joins = cgroups.map { UnsafePointer(strdup($0)) } + [nil]
        let texts = [strdup(executable), folder.map { strdup($0) }, output.map { strdup($0) }]
        let layers = isolation.layers.map {
            aloft_layer(path: UnsafePointer(strdup($0.path)), kind: $0.kind.rawValue)
        }
        defer {
            for layer in layers { free(UnsafeMutableRawPointer(mutating: layer.path)) }
            for text in words + environment { free(text) }
            for text in joins { free(UnsafeMutableRawPointer(mutating: text)) }
            for text in texts { free(text ?? nil) }
        }
        return try words.withUnsafeBufferPointer { words in
            try environment.withUnsafeBufferPointer { environment in
                try joins.withUnsafeBufferPointer { joins in
                    try layers.withUnsafeBufferPointer { layers in
                        var how = plain
                        how.executable = UnsafePointer(texts[0] ?? nil)
                        how.arguments = words.baseAddress
                        how.environment = environment.baseAddress
                        how.folder = UnsafePointer(texts[1] ?? nil)
                        how.output = UnsafePointer(texts[2] ?? nil)
                        how.cgroups = joins.baseAddress
                        how.layers = layers.baseAddress
                        how.layer_count = layers.count
                        return try call(&how)
                    }
                }
            }
        }
    }

    /// All but what points somewhere.
    private var plain: aloft_spawn {
        var how = aloft_spawn()
        how.output_descriptor = outputDescriptor ?? -1
        how.address_space_bytes = UInt64(max(0, addressSpaceBytes ?? 0))
        how.file_bytes = UInt64(max(0, fileBytes ?? 0))
        how.parent_death_signal = diesWithParent ? SIGKILL : 0
        how.isolation = isolation.kind.number
        return how
    }

    private func call(_ how: inout aloft_spawn) throws -> Int32 {
        var processID: Int32 = 0
        var step: Int32 = 0
        let error = aloft_spawn(&how, &processID, &step)
        guard error == 0 else {
            throw SpawnFailure(executable: executable, step: step, number: error)
        }
        return processID
    }
}

package struct SpawnFailure: Error, CustomStringConvertible {
    let executable: String
    let step: Int32
    let number: Int32
    /// What was found before anything was tried.
    package private(set) var refusal: String?

    init(executable: String, step: Int32, number: Int32) {
        self.executable = executable
        self.step = step
        self.number = number
    }

    init(executable: String, isolationRefused reason: String) {
        self.init(
            executable: executable, step: Int32(bitPattern: ALOFT_SPAWN_LANDLOCK.rawValue),
            number: E2BIG)
        refusal = reason
    }

    package var description: String {
        let doing =
            switch UInt32(bitPattern: step) {
            case ALOFT_SPAWN_FOLDER.rawValue: "entering its folder"
            case ALOFT_SPAWN_OUTPUT.rawValue: "opening its log"
            case ALOFT_SPAWN_CGROUP.rawValue: "joining its cgroup"
            case ALOFT_SPAWN_LIMIT.rawValue: "setting its limits"
            case ALOFT_SPAWN_UNSHARE.rawValue: "isolating it (its namespaces)"
            case ALOFT_SPAWN_MOUNT.rawValue: "isolating it (what it may see)"
            case ALOFT_SPAWN_PROC.rawValue: "isolating it (its /proc)"
            case ALOFT_SPAWN_LANDLOCK.rawValue: "isolating it (Landlock)"
            default: "starting it"
            }
        return "\(executable): \(doing): \(refusal ?? String(cString: strerror(number)))"
    }
}
