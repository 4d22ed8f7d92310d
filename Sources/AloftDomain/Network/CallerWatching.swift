/// A request context that knows when its caller is gone.
package protocol CallerWatching {
    /// Runs `action` once, when the caller ends its side of the connection or the connection is closed;
    /// at once where that has happened already, never where there is no connection. From any thread.
    func whenCallerLeaves(_ action: @escaping @Sendable () -> Void)
}
