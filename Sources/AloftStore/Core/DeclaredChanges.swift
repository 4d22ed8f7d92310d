#if DEBUG
    import GRDB

    /// Holds each write of a debug build to what it says that it changes: a table of which it does not
    /// speak would keep somebody asleep who waits for it. Statements that run past GRDB's own execution,
    /// those which log points, are not seen.
    ///
    /// `@unchecked Sendable`: touched on the writer's connection only.
    final class DeclaredChanges: TransactionObserver, @unchecked Sendable {
        // text: names of our own tables
        private var tables: Set<String> = []

        func begin() { tables = [] }

        /// - Throws: `UndeclaredChange`, which undoes the write.
        func check(_ entities: ChangeSignal.Entities) throws {
            guard entities != .all else { return }
            for table in tables {
                guard let owner = ChangeSignal.Entities.of(table: table),
                    !owner.isSubset(of: entities)
                else { continue }
                throw UndeclaredChange(table: table)
            }
        }

        /// Asked before each statement that changes a table. What it says here is the news; its rows are
        /// nobody's affair.
        func observes(eventsOfKind kind: DatabaseEventKind) -> Bool {
            tables.insert(kind.tableName)
            return false
        }

        func databaseDidChange(with event: DatabaseEvent) {}
        func databaseDidCommit(_ db: Database) {}
        func databaseDidRollback(_ db: Database) {}
    }

    /// A write changed a table that is not among what it said; see `Store.write(as:)`.
    struct UndeclaredChange: Error, CustomStringConvertible {
        let table: String

        var description: String {
            "a write changed the table \(table) and did not say so: name its entity in write(as:)"
        }
    }
#endif
