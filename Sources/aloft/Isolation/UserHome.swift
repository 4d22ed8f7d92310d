import Foundation

/// The home of the user that a server or a gateway runs as, which a user of the system may lack: Debian
/// gives one `/nonexistent`. uv keeps packages and interpreters there, and programs expect to write in it.
enum UserHome {
    /// `environment` with places below `folder` in place of a home that cannot be used: `HOME` is left
    /// away, so that each program gets one of its own.
    static func completed(
        _ environment: [String: String], folder: String
    ) -> [String: String] {
        guard !isUsable(environment["HOME"]) else { return environment }
        var result = environment
        result["HOME"] = nil
        if result["XDG_CACHE_HOME"] == nil, result["UV_CACHE_DIR"] == nil {
            result["UV_CACHE_DIR"] = folder + "/uv/cache"
        }
        if result["XDG_DATA_HOME"] == nil, result["UV_PYTHON_INSTALL_DIR"] == nil {
            result["UV_PYTHON_INSTALL_DIR"] = folder + "/uv/python"
        }
        return result
    }

    private static func isUsable(_ home: String?) -> Bool {
        guard let home, home.hasPrefix("/") else { return false }
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: home, isDirectory: &isFolder)
            && isFolder.boolValue && access(home, W_OK) == 0
    }
}
