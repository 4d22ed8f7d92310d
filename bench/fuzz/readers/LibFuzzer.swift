// What libFuzzer calls: built with `--sanitize fuzzer -Xswiftc -DALOFT_LIBFUZZER` (see `readers/run`).
#if ALOFT_LIBFUZZER
    import Foundation

    private let readers = Reader.all

    @_silgen_name("LLVMFuzzerMutate")
    private func libFuzzerMutate(_ data: UnsafeMutableRawPointer, _ size: Int, _ most: Int) -> Int

    /// Reads one body, and ends the program where it takes more than the law allows.
    @_cdecl("LLVMFuzzerTestOneInput")
    public func testOneInput(_ data: UnsafeRawPointer?, _ size: Int) -> CInt {
        let bytes = UnsafeRawBufferPointer(start: data, count: size)
        guard let sample = Sample(bytes, of: readers) else { return -1 }
        if let fault = Law.fault(Law.cost(of: sample, readers), sample, readers) {
            fatalError(fault)
        }
        return 0
    }

    /// Mostly libFuzzer's own changes, which follow what the readers compare; now and then ours, which know
    /// words and repeat pieces.
    @_cdecl("LLVMFuzzerCustomMutator")
    public func mutate(
        _ data: UnsafeMutableRawPointer, _ size: Int, _ most: Int, _ seed: UInt32
    ) -> Int {
        let bytes = UnsafeRawBufferPointer(start: data, count: size)
        guard seed % 4 == 0, let sample = Sample(bytes, of: readers) else {
            return libFuzzerMutate(data, size, most)
        }
        var mutator = Mutator(readers: readers, seed: UInt64(seed), mostBytes: max(0, most - 2))
        var body = sample.body
        mutator.change(&body, readers[sample.reader])
        let changed = Sample(reader: sample.reader, variant: sample.variant, body: body).bytes
        changed.withUnsafeBytes {
            if let base = $0.baseAddress { data.copyMemory(from: base, byteCount: $0.count) }
        }
        return changed.count
    }
#endif
