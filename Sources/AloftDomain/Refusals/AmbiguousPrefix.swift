/// The sentence for the begin of an identifier that several things have.
///
/// - Parameters:
///   - kind: what they are, in the plural: `jobs`.
///   - ids: some of those that begin so, at least two.
package func ambiguousPrefix(_ kind: String, _ prefix: String, _ ids: [String]) -> String {
    "several \(kind) begin with \(prefix.prefix(64)): "
        + ids.prefix(5).joined(separator: ", ") + (ids.count > 5 ? ", ..." : "")
        + "; write more of it"
}
