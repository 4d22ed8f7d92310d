extension Schema.Migration {
    /// A run's name is in the index of names, and no longer in that of tags as well: nearly every run
    /// has a name of its own, so that each new run would write one more page.
    static let m0013RunNames = Schema.Migration(name: "0013-run-names") { db in
        try db.execute(
            sql: """
                DROP INDEX runTagValue;
                CREATE INDEX runTagValue ON runTag (experiment, key, value)
                    WHERE key <> 'mlflow.runName';
                """)
    }
}
