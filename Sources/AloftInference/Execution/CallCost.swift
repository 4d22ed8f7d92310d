/// What a call of a model costs: a fixed part and one for each row, learned from calls by least squares
/// in which the past fades.
package struct CallCost: Sendable {
    private var weight = 0.0
    private var rows = 0.0
    private var squares = 0.0
    private var time = 0.0
    private var products = 0.0

    /// What is left of a call's weight after the next one.
    private static let memory = 0.98

    package init() {}

    package mutating func record(rows count: Int, nanoseconds: Double) {
        let x = Double(count)
        weight = weight * Self.memory + 1
        rows = rows * Self.memory + x
        squares = squares * Self.memory + x * x
        time = time * Self.memory + nanoseconds
        products = products * Self.memory + x * nanoseconds
    }

    /// The fixed part and that of a row, in nanoseconds, neither below 0. Where all calls had the same
    /// number of rows nothing is known of a fixed part, and none is supposed.
    package var parts: (fixed: Double, each: Double) {
        guard weight > 0, rows > 0 else { return (0, 0) }
        let spread = weight * squares - rows * rows
        let average = time / rows
        guard spread > 1e-9 * weight * squares else { return (0, average) }
        let each = (weight * products - rows * time) / spread
        let fixed = (time - each * rows) / weight
        if each < 0 { return (time / weight, 0) }
        if fixed < 0 { return (0, average) }
        return (fixed, each)
    }

    package func nanoseconds(rows count: Int) -> Double {
        let (fixed, each) = parts
        return fixed + each * Double(count)
    }
}
