import AloftDomain
import AloftWire

// What is here already.
extension Importer {
    struct Known {
        var state: CheckImports.State
        /// Whether it is as it was when some of its files could not be taken.
        var isInPart = false
    }

    /// The fingerprint that is kept where files are missing.
    static func inPart(_ fingerprint: String) -> String { fingerprint + "-in-part" }

    /// Asks what is here of some items, and what of that is here in part. Where the server takes the
    /// list of them not, each is asked for alone, so that one does not cost the others.
    ///
    /// - Returns: what is known, and the items that the server does not take.
    func states(
        of items: [CheckImports.Item], called what: String,
        // text: the reply's own ids, which are looked up exactly
        _ ask: ([CheckImports.Item]) async throws -> [String: CheckImports.State]
    ) async throws -> (known: [ExactText: Known], failed: Set<ExactText>) {
        do {
            var known: [ExactText: Known] = [:]
            for (id, state) in try await ask(items) { known[ExactText(id)] = Known(state: state) }
            let changed = items.filter { known[ExactText($0.id)]?.state == .changed }
            guard !changed.isEmpty else { return (known, []) }
            let marked = changed.map {
                CheckImports.Item(id: $0.id, fingerprint: Self.inPart($0.fingerprint))
            }
            for (id, state) in try await ask(marked) where state == .same {
                known[ExactText(id)]?.isInPart = true
            }
            return (known, [])
        } catch  where TransferFault.isOfOne(error) {
            guard items.count > 1 else {
                for item in items {
                    progress.fail("\(what) \(item.id)", TransferFault.words(of: error))
                }
                return ([:], Set(items.map { ExactText($0.id) }))
            }
        }
        var all: (known: [ExactText: Known], failed: Set<ExactText>) = ([:], [])
        for item in items {
            let one = try await states(of: [item], called: what, ask)
            all.known.merge(one.known) { first, _ in first }
            all.failed.formUnion(one.failed)
        }
        return all
    }
}
