package import AloftPredictionLog

/// A layout as a row of numbers, so that tensors are compared with it without counting references:
/// the counts of tensors and of dimensions, each tensor's place, rank and bytes, all dimensions.
// @unchecked: the numbers are written once, before anybody else sees them.
package final class PackedLayout: @unchecked Sendable {
    private let memory: UnsafeMutablePointer<Int64>
    /// The elements of all tensors together.
    package let byteCount: Int

    package init(_ layout: TensorLayout) {
        let numbers =
            [Int64(layout.slots.count), Int64(layout.dimensions.count)]
            + layout.slots.flatMap {
                [Int64(clamping: $0.place), Int64(clamping: $0.rank), Int64($0.byteCount)]
            }
            + layout.dimensions
        memory = .allocate(capacity: numbers.count)
        memory.initialize(from: numbers, count: numbers.count)
        byteCount = layout.byteCount
    }

    deinit { memory.deallocate() }

    /// Lives as long as the layout.
    package var numbers: UnsafePointer<Int64> { UnsafePointer(memory) }
}
