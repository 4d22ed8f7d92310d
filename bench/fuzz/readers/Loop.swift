#if !ALOFT_LIBFUZZER
    import AloftDomain
    import CAllocations
    import Foundation

    /// What the program is asked to do.
    struct Options {
        var seed: UInt64 = 1
        var runs = 20_000
        var seconds: Double?
        var reader: String?
        var mostBytes = 256 << 10
        /// Where a body that ends the program, or breaks the law, is to be found afterwards.
        var keep = "/tmp"
        var corpus: String?
        var replay: [String] = []

        static let help = """
            fuzz-readers [--seed N] [--runs N | --seconds N] [--reader NAME] [--most-bytes N] [--keep FOLDER]
            fuzz-readers --write-corpus FOLDER   the good bodies, as libFuzzer wants them
            fuzz-readers FILE...                 reads kept bodies again
            fuzz-readers --list
            """

        /// `nil` where there is nothing to run, or the words are wrong, which is said.
        init?(_ words: [String]) {
            var rest = words[...]
            while let word = rest.popFirst() {
                func value() -> String? { rest.popFirst() }
                switch word {
                case "--seed": seed = value().flatMap(UInt64.init) ?? 1
                case "--runs": runs = value().flatMap(Int.init) ?? 0
                case "--seconds": seconds = value().flatMap(Double.init)
                case "--reader": reader = value()
                case "--most-bytes": mostBytes = value().flatMap(Int.init) ?? mostBytes
                case "--keep": keep = value() ?? keep
                case "--write-corpus": corpus = value()
                case "--list":
                    for reader in Reader.all { print(reader.name) }
                    return nil
                case _ where word.hasPrefix("-"):
                    FileHandle.standardError.write(Data((Self.help + "\n").utf8))
                    exit(2)
                default: replay.append(word)
                }
            }
        }
    }

    /// What came of one reader.
    private struct Tally {
        var count = 0
        var bytes = 0
        var mostMemory = 0
        var nanoseconds: UInt64 = 0
        var slowest: UInt64 = 0
    }

    @main
    struct FuzzReaders {
        static func main() throws {
            guard let options = Options(Array(CommandLine.arguments.dropFirst())) else { return }
            let readers = Reader.all
            if let corpus = options.corpus { return try write(Sample.good(readers), to: corpus) }
            if !options.replay.isEmpty { return try replay(options.replay, readers) }
            try run(options, readers)
        }

        private static func write(_ samples: [Sample], to folder: String) throws {
            let place = URL(fileURLWithPath: folder)
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            for (index, sample) in samples.enumerated() {
                let name = readers(of: sample) + "-\(index)"
                try Data(sample.bytes).write(to: place.appendingPathComponent(name))
            }
        }

        private static func readers(of sample: Sample) -> String { Reader.all[sample.reader].name }

        private static func replay(_ paths: [String], _ readers: [Reader]) throws {
            var faults = 0
            for path in paths {
                let data = try Data(contentsOf: URL(fileURLWithPath: path))
                guard let sample = data.withUnsafeBytes({ Sample($0, of: readers) }) else {
                    continue
                }
                let cost = Law.cost(of: sample, readers)
                let fault = Law.fault(cost, sample, readers)
                faults += fault == nil ? 0 : 1
                print(
                    "\(path): \(readers[sample.reader].name), \(sample.body.count) bytes, "
                        + "\(cost.memory) of memory, \(cost.nanoseconds / 1000) µs"
                        + (fault == nil ? "" : ": too much"))
            }
            exit(faults == 0 ? 0 : 1)
        }

        private static func run(_ options: Options, _ readers: [Reader]) throws {
            let places = readers.indices.filter { place in
                options.reader.map { $0 == readers[place].name } ?? true
            }
            guard !places.isEmpty, aloft_allocations_counted() else {
                FileHandle.standardError.write(
                    Data("no such reader, or memory cannot be counted here\n".utf8))
                exit(2)
            }
            var mutator = Mutator(
                readers: readers, seed: options.seed, mostBytes: options.mostBytes)
            let kept = Kept(folder: options.keep, seed: options.seed)
            var tallies = [Tally](repeating: Tally(), count: readers.count)
            var faults = 0
            let good = Sample.good(readers).filter { places.contains($0.reader) }
            let clock = ContinuousClock()
            let end = options.seconds.map { clock.now + .seconds($0) }
            var round = 0
            while end.map({ clock.now < $0 }) ?? (round < options.runs) {
                // Each good body as it is comes first.
                let sample =
                    round < good.count
                    ? good[round] : mutator.next(reader: places[round % places.count])
                round += 1
                kept.remember(sample)
                let cost = Law.cost(of: sample, readers)
                tallies[sample.reader].note(cost, sample)
                if let fault = Law.fault(cost, sample, readers) {
                    faults += 1
                    if faults <= 20 {
                        let file = kept.keep(sample, "law-\(faults)")
                        FileHandle.standardError.write(Data("\(fault): \(file)\n".utf8))
                    }
                }
            }
            kept.forget()
            for place in places { print(tallies[place].line(readers[place].name)) }
            print(#"{"seed": \#(options.seed), "bodies": \#(round), "faults": \#(faults)}"#)
            exit(faults == 0 ? 0 : 1)
        }
    }

    extension Tally {
        fileprivate mutating func note(_ cost: Law.Cost, _ sample: Sample) {
            count += 1
            bytes += sample.body.count
            mostMemory = max(mostMemory, cost.memory)
            nanoseconds += cost.nanoseconds
            slowest = max(slowest, cost.nanoseconds)
        }

        fileprivate func line(_ name: String) -> String {
            #"{"reader": "\#(name)", "bodies": \#(count), "bytes": \#(bytes), "#
                + #""most_memory": \#(mostMemory), "ns_per_byte": \#(Int(nanoseconds) / max(1, bytes)), "#
                + #""slowest_ms": \#(slowest / 1_000_000)}"#
        }
    }

    /// The body that is being read, in a file: what is there when the program ended is to blame.
    private struct Kept {
        let folder: String
        let path: String
        private let descriptor: Int32

        init(folder: String, seed: UInt64) {
            self.folder = folder
            path = "\(folder)/fuzz-readers-\(getpid())-\(seed)"
            descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        }

        func remember(_ sample: Sample) {
            let bytes = sample.bytes
            guard ftruncate(descriptor, 0) == 0 else { return }
            _ = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        }

        func keep(_ sample: Sample, _ name: String) -> String {
            let file = "\(path)-\(name)"
            _ = FileManager.default.createFile(atPath: file, contents: Data(sample.bytes))
            return file
        }

        func forget() {
            close(descriptor)
            unlink(path)
        }
    }
#endif
