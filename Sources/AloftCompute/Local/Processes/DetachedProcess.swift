package import Foundation

/// Starts a program that is to outlive this process.
package enum DetachedProcess {
    /// Starts `executable` in a session of its own, with no descriptor of ours: a listening socket
    /// that it kept would hold our address after our end.
    ///
    /// - Parameter output: the file to which its output is appended.
    package static func start(
        executable: String, arguments: [String], variables: [String: String], output: String
    ) throws -> pid_t {
        try Spawn(
            executable: executable, arguments: arguments, variables: variables, output: output
        ).start()
    }
}
