/// The candidate nearest to `word`, for "did you mean": at most a third of its letters changed.
///
/// What is longer than a name can be has no neighbour: the comparison would take its length times that of
/// every candidate.
package func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
    guard word.utf8.count <= longestCompared else { return nil }
    let word = word.lowercased()
    let limit = max(2, word.count / 3)
    return
        candidates
        .filter {
            $0.utf8.count <= longestCompared && abs($0.count - word.count) <= limit
        }
        .map { (distance: editDistance(word, $0.lowercased()), candidate: $0) }
        .filter { $0.distance <= limit }
        .min { ($0.distance, $0.candidate) < ($1.distance, $1.candidate) }?
        .candidate
}

private let longestCompared = 200

/// The least number of letters to insert, remove, change or swap with a neighbour (optimal string
/// alignment; Boytsov, "Indexing methods for approximate dictionary searching", JEA 16, 2011).
func editDistance(_ left: String, _ right: String) -> Int {
    let left = Array(left)
    let right = Array(right)
    guard !left.isEmpty else { return right.count }
    guard !right.isEmpty else { return left.count }
    var beforePrevious: [Int] = []
    var previous = Array(0...right.count)
    for row in 1...left.count {
        var current = [row]
        for column in 1...right.count {
            let isEqual = left[row - 1] == right[column - 1]
            var cost = min(
                previous[column] + 1, current[column - 1] + 1,
                previous[column - 1] + (isEqual ? 0 : 1))
            let isSwap =
                row > 1 && column > 1 && left[row - 1] == right[column - 2]
                && left[row - 2] == right[column - 1]
            if isSwap { cost = min(cost, beforePrevious[column - 2] + 1) }
            current.append(cost)
        }
        (beforePrevious, previous) = (previous, current)
    }
    return previous[right.count]
}
