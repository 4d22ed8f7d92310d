import AloftTestKit
import Foundation
import Testing

@testable import AloftProcess

/// What this machine gives; tests of the rest are left out, and say so.
enum Given {
    static let best = IsolationProbe.run(hiding: "/nonexistent", wanted: nil).kind
    static let kinds = [IsolationKind.namespaces, .landlock].filter {
        IsolationProbe.run(hiding: "/nonexistent", wanted: $0).kind == $0
    }
}

@Suite(.enabled(if: !Given.kinds.isEmpty, "this machine gives no isolation"))
struct IsolatedSpawnTests {
    /// A data folder with a secret and the folder of one program.
    private struct World {
        let folder: TemporaryFolder
        var data: String { folder.path + "/data" }
        var own: String { data + "/own" }
        var output: String { folder.path + "/output" }

        init() throws {
            folder = try TemporaryFolder()
            for path in [own, data + "/given", data + "/blobs"] {
                try FileManager.default.createDirectory(
                    atPath: path, withIntermediateDirectories: true)
            }
            try Data("SECRET".utf8).write(to: URL(fileURLWithPath: data + "/secret"))
            try Data("SECRET".utf8).write(to: URL(fileURLWithPath: data + "/blobs/secret"))
            try Data("given".utf8).write(to: URL(fileURLWithPath: data + "/given/file"))
        }

        func run(
            _ script: String, _ kind: IsolationKind, hidden: [String]? = nil, cwd: String? = nil
        ) throws -> (status: Int32, text: String) {
            let policy = IsolationPolicy(kind: kind, hidden: hidden ?? [data])
            let status = try Spawn(
                executable: "/bin/bash", arguments: ["-c", script],
                variables: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "D": data], folder: cwd,
                output: output,
                isolation: policy.isolation(reads: [data + "/given"], writes: [own])
            ).run()
            return (status, try String(contentsOfFile: output, encoding: .utf8))
        }
    }

    @Test(arguments: Given.kinds)
    func `a program has its own folders and nothing else of the data folder`(
        kind: IsolationKind
    ) throws {
        let world = try World()
        let (status, text) = try world.run(
            """
            cd /; cat $D/secret $D/blobs/secret $D/../data/secret /proc/self/root$D/secret && echo GOT
            (echo x > $D/secret) 2>/dev/null && cat $D/secret && echo GOT written
            (echo x > $D/given/file) && echo GOT given
            rm -rf $D/given/file; ls $D/blobs/* && echo GOT names
            cat $D/given/file && echo " is read"
            echo mine > $D/own/file && cat $D/own/file
            exit 5
            """, kind)
        #expect(status == 5)
        #expect(text.contains("given is read"))
        #expect(text.contains("mine"))
        #expect(!text.contains("GOT"), "\(text)")
        #expect(!text.contains("SECRET"), "\(text)")
        let data = try String(contentsOfFile: world.data + "/secret", encoding: .utf8)
        #expect(data == "SECRET")
        let given = try String(contentsOfFile: world.data + "/given/file", encoding: .utf8)
        #expect(given == "given")
    }

    @Test(.enabled(if: Given.kinds.contains(.landlock), "no Landlock here"))
    func `a folder full of others beside what is hidden costs no program anything`() throws {
        let world = try World()
        for number in 0..<22_000 {
            #expect(mkdir("\(world.folder.path)/a\(number)", 0o700) == 0)
        }
        let (status, text) = try world.run(
            """
            cat $D/secret && echo GOT; echo x > $D/../a21999/file && cat $D/../a21999/file
            ls /usr/bin | wc -l; exit 7
            """, .landlock)
        #expect(status == 7, "\(text)")
        #expect(
            text.contains("x\n") && !text.contains("SECRET") && !text.contains("GOT"), "\(text)")
    }

    @Test func `where there are too many no program is started, and it is said why`() throws {
        let world = try World()
        for number in 0..<50 { #expect(mkdir("\(world.folder.path)/a\(number)", 0o700) == 0) }
        var layers = LayerMap()
        layers.set(world.data, .hide)
        let folder = RealPath.of(world.folder.path)
        let isolation = LandlockRules(layers, most: 20).isolation
        #expect(isolation.layers.isEmpty)
        let spawn = Spawn(
            executable: "/bin/sh", arguments: ["-c", "exit 0"], variables: [:],
            isolation: isolation)
        let failure = #expect(throws: SpawnFailure.self) { try spawn.run() }
        #expect(failure?.isIsolation == true)
        let words = failure?.description ?? ""
        #expect(
            words.contains("isolating it (Landlock): ") && words.contains("at most 20"), "\(words)")
        #expect(words.contains("move it into a folder of its own"), "\(folder): \(words)")
    }

    @Test(arguments: Given.kinds)
    func `neither links nor the caller's folder lead to what is hidden`(
        kind: IsolationKind
    ) throws {
        let world = try World()
        let alias = world.folder.path + "/alias"
        try FileManager.default.createSymbolicLink(
            atPath: alias, withDestinationPath: world.data)
        // Named through the link, as a server may be.
        let (_, text) = try world.run(
            "cat \(alias)/secret; ln -s $D/secret $D/own/link; cat $D/own/link; cat secret", kind,
            hidden: [alias])
        #expect(!text.contains("SECRET"), "\(text)")
    }

    @Test(arguments: Given.kinds)
    func `processes outside can be neither looked into nor ended`(kind: IsolationKind) throws {
        let world = try World()
        let victim = try Spawn(
            executable: "/bin/sleep", arguments: ["300"], variables: ["HIDDEN": "SECRET"]
        ).start()
        defer {
            kill(victim, SIGKILL)
            waitpid(victim, nil, 0)
        }
        let (_, text) = try world.run(
            """
            cat /proc/\(victim)/environ; kill -9 \(victim) && echo GOT kill
            cat /proc/\(getpid())/environ && echo GOT ours; kill -0 \(getpid()) && echo GOT signal
            cat /proc/1/environ /proc/1/maps && echo GOT first
            """, kind)
        #expect(!text.contains("SECRET"), "\(text)")
        #expect(!text.contains("GOT"), "\(text)")
        #expect(kill(victim, 0) == 0)
        #expect(waitpid(victim, nil, WNOHANG) == 0)
    }

    @Test(arguments: Given.kinds)
    func `there are no privileges and no devices`(kind: IsolationKind) throws {
        let world = try World()
        let (_, text) = try world.run(
            """
            grep -E '^(CapEff|CapBnd|CapPrm|NoNewPrivs)' /proc/self/status
            mknod $D/own/disk b 7 0 && echo GOT node; mknod $D/own/mem c 1 1 && echo GOT node
            umount $D && echo GOT umount; mount -t tmpfs x $D/own && echo GOT mount
            (echo x > /proc/sys/kernel/core_pattern) 2>/dev/null && echo GOT sysctl
            head -c 1 /dev/mem >/dev/null && echo GOT mem
            for d in /dev/vd? /dev/sd? /dev/nvme?n? /dev/dm-?; do
                head -c 1 $d > /dev/null && echo GOT $d; done
            echo x > /dev/null && head -c 1 /dev/urandom > /dev/null && echo devices work
            (echo x > /usr/aloft-test) 2>/dev/null && echo GOT usr
            (echo x > /etc/aloft-test) 2>/dev/null && echo GOT etc
            """, kind)
        #expect(!text.contains("GOT"), "\(text)")
        #expect(text.contains("devices work"), "\(text)")
        #expect(text.contains("NoNewPrivs:\t1"))
        #expect(text.contains("CapEff:\t0000000000000000"))
        if geteuid() == 0 { #expect(text.contains("CapBnd:\t0000000000000000")) }
    }

    @Test(.enabled(if: Given.kinds.contains(.namespaces), "no namespaces here"))
    func `all that a program started ends with it, however it hides`() throws {
        let world = try World()
        let mark = "aloft-mark-\(UInt32.random(in: 0...UInt32.max))"
        let (status, _) = try world.run(
            "(env -i setsid bash -c 'exec -a \(mark) sleep 300' &); sleep 0.2; kill -9 $$",
            .namespaces)
        #expect(status == 137)
        #expect(Self.processes(named: mark) == [])
    }

    @Test(arguments: Given.kinds)
    func `what is hidden cannot be moved away by the folders above it`(kind: IsolationKind) throws {
        let world = try World()
        let above = (world.data as NSString).deletingLastPathComponent
        let (_, text) = try world.run(
            """
            cd /; mv "\(above)" "\(above).moved" 2>/dev/null && echo GOT moved
            mv "$D" "$D.moved" 2>/dev/null && echo GOT data; echo tried
            """, kind)
        #expect(text.contains("tried") && !text.contains("GOT"), "\(text)")
        #expect(FileManager.default.fileExists(atPath: world.data + "/secret"))
    }

    @Test(.enabled(if: Given.kinds.contains(.namespaces), "no namespaces here"))
    func `a program with its guard ended is ended`() async throws {
        let world = try World()
        let mark = "aloft-mark-\(UInt32.random(in: 0...UInt32.max))"
        let policy = IsolationPolicy(kind: .namespaces, hidden: [world.data])
        let guardian = try Spawn(
            executable: "/bin/bash", arguments: ["-c", "exec -a \(mark) sleep 300"],
            variables: [:], output: world.output,
            isolation: policy.isolation(reads: [], writes: [])
        ).start()
        let program = GuardedTree.program(of: guardian)
        #expect(program != guardian)
        // It has its name once the shell made way for it.
        try await eventually("the program") { !Self.processes(named: mark).isEmpty }
        #expect(Self.processes(named: mark) == [program])
        kill(guardian, SIGKILL)
        waitpid(guardian, nil, 0)
        try await eventually("its end") { Self.processes(named: mark).isEmpty }
    }

    private static func processes(named name: String) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { process in
            let data = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
            return String(decoding: data, as: UTF8.self).hasPrefix(name + "\0")
        }
    }
}

@Suite struct MountAliasesTests {
    @Test func `a folder is found wherever its disk is shown`() {
        let aliases = MountAliases(
            mountinfo: """
                20 1 8:1 / / rw - ext4 /dev/a rw
                21 20 8:1 /srv /mnt/srv rw - ext4 /dev/a rw
                22 20 8:1 /srv/data/blobs /mnt/with\\040blank rw - ext4 /dev/a rw
                23 20 8:1 /home /mnt/home rw - ext4 /dev/a rw
                24 20 8:2 / /mnt/other rw - ext4 /dev/b rw
                """)
        #expect(
            aliases.aliases(of: ["/srv/data"]).sorted() == ["/mnt/srv/data", "/mnt/with blank"])
        #expect(aliases.aliases(of: ["/mnt/srv/data"]).contains("/srv/data"))
        #expect(aliases.aliases(of: ["/mnt/other/data"]) == [])
    }
}
