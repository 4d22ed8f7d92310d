import Foundation

/// Where else the machine shows a folder: through bind mounts, or mounts of a part of its disk.
struct MountAliases {
    private struct Mount {
        let device: Substring
        /// The folder of the file system that is shown.
        let root: String
        /// Where it is shown.
        let place: String
    }

    private let mounts: [Mount]

    static func ofThisProcess() -> MountAliases {
        let data = FileManager.default.contents(atPath: "/proc/self/mountinfo") ?? Data()
        return MountAliases(mountinfo: String(decoding: data, as: UTF8.self))
    }

    /// - Parameter mountinfo: as in proc(5).
    init(mountinfo: String) {
        mounts = mountinfo.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", maxSplits: 5)
            guard words.count > 4 else { return nil }
            return Mount(
                device: words[2], root: Self.plain(words[3]), place: Self.plain(words[4]))
        }
    }

    /// Blanks, tabs, line ends and backslashes stand there as octal numbers.
    private static func plain(_ word: Substring) -> String {
        var text = String(word)
        for (code, character) in [
            ("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\"),
        ] {
            text = text.replacingOccurrences(of: code, with: character)
        }
        return text
    }

    /// Every other path at which one of these folders, or a part of it, is seen.
    func aliases(of folders: [String]) -> [String] {
        folders.flatMap { folder -> [String] in
            // The last mount on the way is the one that counts.
            let holder = mounts.filter { RealPath.holds($0.place, folder) }
                .max { $0.place.utf8.count <= $1.place.utf8.count && $0.place != $1.place }
            guard let holder else { return [] }
            let inside = Self.join(holder.root, Self.rest(of: folder, below: holder.place))
            return mounts.filter { $0.device == holder.device }.compactMap { mount in
                if RealPath.holds(mount.root, inside) {
                    return Self.join(mount.place, Self.rest(of: inside, below: mount.root))
                }
                return RealPath.holds(inside, mount.root) ? mount.place : nil
            }.filter { $0 != folder }
        }
    }

    private static func rest(of path: String, below folder: String) -> String {
        folder == "/" ? path : String(path.dropFirst(folder.count))
    }

    private static func join(_ folder: String, _ rest: String) -> String {
        let rest = rest.drop { $0 == "/" }
        guard !rest.isEmpty else { return folder }
        return folder == "/" ? "/\(rest)" : "\(folder)/\(rest)"
    }
}
