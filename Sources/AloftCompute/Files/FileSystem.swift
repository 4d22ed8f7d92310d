import CProcess
import Foundation

package enum FileSystem {
    /// Writes all pending data of the file system that holds `path`.
    package static func sync(containing path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = aloft_sync_file_system(descriptor)
        close(descriptor)
    }
}
