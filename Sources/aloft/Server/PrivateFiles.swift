import Foundation
import Logging

/// What server, gateway and shim write is their own user's.
enum PrivateFiles {
    /// Called before the first file is made; children inherit it.
    static func begin() { umask(0o077) }

    /// Closes a folder that an earlier build, or a person, left open to others. What lies in it was
    /// perhaps made open as well; a closed folder closes all of it.
    static func close(_ folder: String, logger: Logger) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: folder)
        guard let mode = (attributes?[.posixPermissions] as? NSNumber)?.intValue,
            mode & 0o077 != 0
        else { return }
        let before = String(mode & 0o777, radix: 8)
        guard chmod(folder, 0o700) == 0 else {
            return logger.warning(
                "the data folder is open to other users and cannot be closed",
                metadata: [
                    "folder": "\(folder)", "mode": "\(before)",
                    "why": "\(String(cString: strerror(errno)))",
                ])
        }
        logger.notice(
            "closed the data folder to other users",
            metadata: ["folder": "\(folder)", "mode": "700", "before": "\(before)"])
    }
}
