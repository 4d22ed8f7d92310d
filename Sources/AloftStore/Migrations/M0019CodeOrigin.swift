extension Schema.Migration {
    /// Where the folder of a project file comes from: commit, branch, remote and what was not committed.
    static let m0019CodeOrigin = Schema.Migration(name: "0019-code-origin") { db in
        try db.execute(sql: "ALTER TABLE projectFile ADD COLUMN code TEXT;")
    }
}
