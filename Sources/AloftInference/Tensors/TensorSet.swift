#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Some tensors in one piece of memory which is used again for the next request. Elements are
/// little-endian, row-major; those of BYTES are each a four-byte length and the bytes.
///
/// Owned by one thread at a time: whoever fills it hands it on and does not look at it again.
// @unchecked: handed from owner to owner, as said above; nothing is ever shared.
package final class TensorSet: @unchecked Sendable {
    package struct Entry: Sendable {
        /// The place in the signature's inputs or outputs.
        package var place: Int
        package var datatype: Datatype
        package var firstDimension: Int
        package var rank: Int
        /// Where the elements start, and how many bytes they take.
        package var offset: Int
        package var byteCount: Int
        package var elementCount: Int
    }

    package private(set) var entries: [Entry] = []
    /// The dimensions of all tensors, one after another.
    package private(set) var dimensions: [Int64] = []
    /// What is written for a text that is missing; `nil` where the model takes it for empty.
    package var missingText: [UInt8]?
    /// The names of the tensors, in order, where they are not those of the signature, or not of its
    /// datatypes: Python models answer what they like. Empty where all is as the signature says.
    package var ownNames: [String] = []
    /// The whole answer as it is sent, instead of tensors.
    package var document: [UInt8]?
    /// How much the tensors of a request may take, where its body came compressed.
    package var limitBytes = Int.max
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    private var used = 0

    static let alignment = 64
    /// More than this is given back when the set is emptied.
    private static let keptBytes = 1 << 20

    package init() {
        capacity = 4096
        memory = .allocate(byteCount: capacity, alignment: Self.alignment)
    }

    deinit { memory.deallocate() }

    /// Forgets the tensors, keeps the memory.
    package func reset() {
        // Mostly done already: who takes a set empties it as well as who gives it back.
        if !entries.isEmpty { entries.removeAll(keepingCapacity: true) }
        if !dimensions.isEmpty { dimensions.removeAll(keepingCapacity: true) }
        used = 0
        if !ownNames.isEmpty { ownNames.removeAll() }
        if document != nil { document = nil }
        if capacity > Self.keptBytes {
            memory.deallocate()
            capacity = 4096
            memory = .allocate(byteCount: capacity, alignment: Self.alignment)
        }
    }

    /// Gives its tensors and memory for those of another; what missing text is stays.
    func exchange(with other: TensorSet) {
        swap(&entries, &other.entries)
        swap(&dimensions, &other.dimensions)
        swap(&memory, &other.memory)
        swap(&capacity, &other.capacity)
        swap(&used, &other.used)
    }

    /// Adds a tensor with room for `byteCount` bytes, and returns where they go. The memory moves
    /// when the next tensor is added.
    package func append(
        place: Int, datatype: Datatype, dimensions shape: some Collection<Int64>,
        elementCount: Int, byteCount: Int
    ) -> UnsafeMutableRawPointer {
        let offset = (used + Self.alignment - 1) & ~(Self.alignment - 1)
        ensure(offset + byteCount)
        entries.append(
            Entry(
                place: place, datatype: datatype, firstDimension: dimensions.count,
                rank: shape.count, offset: offset, byteCount: byteCount, elementCount: elementCount)
        )
        dimensions.append(contentsOf: shape)
        used = offset + byteCount
        return memory + offset
    }

    /// Says how much of the room of the last tensor was filled.
    func trimLast(byteCount: Int) {
        let last = entries.count - 1
        // traps: a fault of ours; to go on would write over other memory
        precondition(last >= 0 && byteCount <= entries[last].byteCount)
        entries[last].byteCount = byteCount
        used = entries[last].offset + byteCount
    }

    /// Orders the tensors, and their dimensions with them, by their place in the signature.
    func sortByPlace() {
        var isOrdered = true
        for index in entries.indices.dropFirst()
        where entries[index - 1].place > entries[index].place {
            isOrdered = false
        }
        guard !isOrdered else { return }
        entries.sort { $0.place < $1.place }
        var ordered: [Int64] = []
        for index in entries.indices {
            let own = shape(entries[index])
            entries[index].firstDimension = ordered.count
            ordered += own
        }
        dimensions = ordered
    }

    package func bytes(_ entry: Entry) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: memory + entry.offset, count: entry.byteCount)
    }

    package func shape(_ entry: Entry) -> ArraySlice<Int64> {
        dimensions[entry.firstDimension..<entry.firstDimension + entry.rank]
    }

    /// About all bytes of all tensors together, without looking at each.
    package var usedBytes: Int { used + (document?.count ?? 0) }

    /// All bytes of all tensors together.
    package var byteCount: Int { entries.reduce(0) { $0 + $1.byteCount } }

    /// All elements of all tensors together.
    package var elementCount: Int { entries.reduce(0) { $0 + $1.elementCount } }

    /// Makes room for so many bytes of tensors at once, where it is known what comes: memory that grows
    /// step by step takes three times as much.
    func reserve(_ wanted: Int) {
        let byteCount = min(wanted, limitBytes)
        if byteCount > capacity - used { grow(to: used + byteCount) }
    }

    /// - Throws: `InferenceError.tooMuch` where so many bytes more are not to be had.
    @inline(__always)
    func checkRoom(_ byteCount: Int, name: String) throws(InferenceError) {
        guard byteCount <= limitBytes - used else {
            throw .tooMuch(name: name, limitBytes: limitBytes)
        }
    }

    /// Where a tensor's elements are written. The memory moves when the next tensor is added.
    func memory(of entry: Entry) -> UnsafeMutableRawPointer { memory + entry.offset }

    private func ensure(_ needed: Int) {
        guard needed > capacity else { return }
        var grown = capacity * 2
        if needed > Self.keptBytes {
            grown = max(needed, capacity + capacity / 2)
        } else {
            while grown < needed { grown *= 2 }
        }
        grow(to: grown)
    }

    private func grow(to grown: Int) {
        let fresh = UnsafeMutableRawPointer.allocate(
            byteCount: grown, alignment: Self.alignment)
        fresh.copyMemory(from: memory, byteCount: used)
        memory.deallocate()
        memory = fresh
        capacity = grown
    }
}

extension TensorSet {
    /// The tensor's own name, where it has one.
    func ownName(_ position: Int) -> String {
        position < ownNames.count ? ownNames[position] : ""
    }

    /// The elements of a BYTES tensor, or `nil` where the lengths do not add up to the bytes.
    package func strings(_ entry: Entry) -> [UnsafeRawBufferPointer]? {
        var rest = bytes(entry)[...]
        var elements: [UnsafeRawBufferPointer] = []
        elements.reserveCapacity(entry.elementCount)
        while !rest.isEmpty {
            guard rest.count >= 4 else { return nil }
            let whole = UnsafeRawBufferPointer(rebasing: rest)
            let length = BinaryStrings.length(whole, at: 0)
            guard whole.count - 4 >= length else { return nil }
            elements.append(UnsafeRawBufferPointer(rebasing: whole[4..<4 + length]))
            rest = rest.dropFirst(4 + length)
        }
        return elements.count == entry.elementCount ? elements : nil
    }

    /// Adds a BYTES tensor.
    package func append(place: Int, dimensions shape: [Int64], strings: [some Collection<UInt8>]) {
        let size = strings.reduce(0) { $0 + 4 + $1.count }
        var target = append(
            place: place, datatype: .bytes, dimensions: shape, elementCount: strings.count,
            byteCount: size)
        for string in strings {
            target.storeBytes(
                of: UInt32(truncatingIfNeeded: string.count).littleEndian, as: UInt32.self)
            target += 4
            UnsafeMutableRawBufferPointer(start: target, count: string.count)
                .copyBytes(from: string)
            target += string.count
        }
    }

    /// The number of rows: the first dimension of the first tensor, 1 where there is none.
    package var rowCount: Int {
        guard let first = entries.first, first.rank > 0 else { return 1 }
        return Int(clamping: dimensions[first.firstDimension])
    }
}
