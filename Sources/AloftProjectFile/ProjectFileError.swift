package import AloftDomain

/// One thing that is wrong with a project file.
package struct ProjectFileFault: Sendable, Equatable, Codable {
    /// Counted from 1.
    package var line: Int
    /// Counted from 1.
    package var column: Int
    /// The section, such as `jobs.train.sweep`; empty for the file itself.
    package var path: String
    /// What is wrong and what would be right.
    package var message: String

    package init(line: Int, column: Int, path: String, message: String) {
        self.line = line
        self.column = column
        self.path = path
        self.message = message
    }
}

/// All that is wrong with a project file, in the file's order.
package struct ProjectFileError: Refusal, Equatable {
    /// The file's name as people know it.
    package let file: String
    /// Never empty.
    package let faults: [ProjectFileFault]

    package init(file: String, faults: [ProjectFileFault]) {
        self.file = file
        self.faults = faults
    }

    package var code: String { "project_file_invalid" }
    package var kind: RefusalKind { .invalid }

    private static let mostShown = 50

    /// One line a fault: `aloft.yaml:12:7: jobs.train: unknown key …`.
    package var message: String {
        var lines = faults.prefix(Self.mostShown).map { fault in
            let place = "\(file):\(fault.line):\(fault.column): "
            return place + (fault.path.isEmpty ? "" : "\(fault.path): ") + fault.message
        }
        if faults.count > Self.mostShown {
            lines.append("… and \(faults.count - Self.mostShown) more")
        }
        return lines.joined(separator: "\n")
    }
}
