#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Compares bytes by the C library: the standard library's way for any sequences takes ten times as
/// long for a few bytes, and a request has a dozen words.
enum BytesEqual {
    @inline(__always)
    static func equal(_ one: UnsafeRawBufferPointer, _ two: UnsafeRawBufferPointer) -> Bool {
        guard one.count == two.count else { return false }
        guard let a = one.baseAddress, let b = two.baseAddress else { return one.isEmpty }
        return memcmp(a, b, one.count) == 0
    }

    @inline(__always)
    static func equal(_ bytes: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        equal(
            bytes,
            UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }
}
