package import AloftDomain

extension ProjectFile {
    /// The parts of this file that are read and checked, but that this version does not act on: one
    /// sentence each. `docs/reference/project-file.md` has the same list.
    package var unactedParts: [String] {
        var parts: [String] = []
        if !monitors.isEmpty {
            parts.append(
                "monitors: drift and quality are checked as text, but nothing watches them yet")
        }
        if !triggers.isEmpty {
            parts.append("triggers: schedules and causes are checked, but start nothing yet")
        }
        return parts
    }
}
