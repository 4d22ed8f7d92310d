// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours is built alike: language mode 6, explicit existentials and import levels,
/// and warnings that stop the build.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
    .treatWarning("DeprecatedDeclaration", as: .warning),
]

/// The path of every prediction. The compiler proves most accesses to memory exclusive; the rest it
/// would check at run time, at some 5 % of a request. Tests and debug builds keep those checks.
let hotSettings: [SwiftSetting] =
    settings + [
        .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
    ]

// Third-party products, named once.
let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient: Target.Dependency = .product(
    name: "AsyncHTTPClient", package: "async-http-client")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(
    name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting: Target.Dependency = .product(
    name: "HummingbirdTesting", package: "hummingbird")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioHPACK: Target.Dependency = .product(name: "NIOHPACK", package: "swift-nio-http2")
let nioHTTP2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioFoundation: Target.Dependency = .product(
    name: "NIOFoundationCompat", package: "swift-nio")
let serviceLifecycle: Target.Dependency = .product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(
    name: "UnixSignals", package: "swift-service-lifecycle")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

func layer(
    _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [],
    isHot: Bool = false
) -> Target {
    .target(
        name: name, dependencies: dependencies, exclude: exclude,
        swiftSettings: isHot ? hotSettings : settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: [.target(name: name)] + dependencies,
        swiftSettings: settings)
}

let package = Package(
    name: "aloft",
    products: [.executable(name: "aloft", targets: ["aloft"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", exact: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        // Knowledge: pure, no clock, no file, no socket.
        layer("AloftDomain"),
        layer("AloftProjectFile", ["AloftDomain", yams]),
        layer("AloftSearch", ["AloftDomain"]),
        layer("AloftScheduling", ["AloftDomain"]),
        layer("AloftRollout", ["AloftDomain"]),
        // The event loops' part of it is inlined into the gateway.
        layer("AloftPredictionLog", ["AloftDomain"], isHot: true),

        // Adapters: the database, blobs, child processes, the inference runtime.
        layer("AloftStore", ["AloftDomain", grdb, sqlite, crypto]),
        layer("AloftArtifacts", ["AloftDomain", crypto]),
        .target(name: "CProcess"),
        layer("AloftProcess", ["CProcess", "CInflate"]),
        layer("AloftCompute", ["AloftDomain", "AloftProcess", "CProcess", crypto]),
        .target(
            name: "COnnxRuntime", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]
        ),
        layer(
            "AloftInference",
            [
                "AloftDomain", "AloftPredictionLog", "AloftProcess", "COnnxRuntime", logging,
                nioCore, nioPosix,
            ],
            isHot: true),

        // What both planes allow a connection.
        layer("AloftEdge", ["AloftDomain", nioCore, nioHTTP1, nioPosix], isHot: true),

        // The control plane.
        layer("AloftWire", ["AloftDomain"]),
        layer(
            "AloftControl",
            [
                "AloftDomain", "AloftProjectFile", "AloftSearch", "AloftScheduling", "AloftRollout",
                "AloftStore", "AloftArtifacts", "AloftCompute", "AloftPredictionLog", "AloftWire",
                logging, crypto,
            ]),
        layer(
            "AloftMLflow",
            [
                "AloftDomain", "AloftStore", "AloftArtifacts", "CInflate", hummingbird, logging,
                httpTypes, nioCore, nioFoundation, protobuf,
            ], exclude: ["OTLP/otlp_trace.proto"]),
        layer(
            "AloftAPI",
            [
                "AloftWire", "AloftDomain", "AloftProjectFile", "AloftControl",
                "AloftPredictionLog", "AloftStore",
                "AloftArtifacts", "AloftEdge", hummingbird, logging, httpTypes, nioCore,
                serviceLifecycle, nioFoundation,
            ]),

        // The data plane and the clients.
        layer(
            "AloftClient",
            [
                "AloftWire", "AloftDomain", asyncHTTPClient, crypto, nioCore, nioHTTP1, nioSSL,
                nioFoundation,
            ]),
        layer(
            "AloftTransfer",
            [
                "AloftWire", "AloftDomain", "AloftClient", asyncHTTPClient, grdb, crypto, nioCore,
                nioHTTP1, nioFoundation, yams,
            ]),
        layer(
            "AloftGateway",
            [
                "AloftWire", "AloftDomain", "AloftPredictionLog", "AloftInference", "AloftClient",
                "AloftProcess", "AloftEdge", "CInflate", nioCore, nioPosix, nioHTTP1, logging,
                crypto,
            ], isHot: true),

        .target(
            name: "CInflate", linkerSettings: [.linkedLibrary("z")]),
        layer(
            "AloftGRPC",
            [
                "AloftDomain", "AloftEdge", "AloftInference", "AloftGateway", "CInflate", protobuf,
                logging, nioCore, nioHPACK, nioHTTP2, nioPosix,
            ], isHot: true),

        // The only composition root.
        .executableTarget(
            name: "aloft",
            dependencies: [
                "AloftDomain", "AloftProjectFile", "AloftStore", "AloftArtifacts", "AloftCompute",
                "AloftScheduling", "AloftRollout", "AloftControl", "AloftWire", "AloftMLflow",
                "AloftAPI", "AloftGateway", "AloftGRPC", "AloftInference", "AloftClient",
                "AloftTransfer", "AloftProcess", "AloftEdge", argumentParser, hummingbird,
                hummingbirdCore, httpTypes, logging, serviceLifecycle, unixSignals, nioCore,
                nioHTTP1, nioSSL, crypto,
            ],
            swiftSettings: settings),

        // Measures reading requests (bench/serving/run-grpc); no part of the program.
        .executableTarget(
            name: "decode-bench", dependencies: ["AloftDomain", "AloftInference"],
            path: "bench/serving/decode", swiftSettings: settings),

        // Reads mutated bytes with every reader (bench/fuzz/readers); no part of the program.
        .executableTarget(
            name: "fuzz-readers",
            dependencies: [
                "AloftDomain", "AloftPredictionLog", "AloftInference", "AloftEdge", "AloftGateway",
                "AloftGRPC",
                "AloftMLflow", "AloftWire", "AloftAPI", "AloftProjectFile", "AloftTransfer",
                "AloftProcess", "CAllocations", nioCore, nioHPACK,
            ],
            path: "bench/fuzz/readers", exclude: ["run"], swiftSettings: settings),

        // Tests.
        .target(name: "CAllocations", path: "Tests/CAllocations"),
        layer(
            "AloftTestKit",
            [
                "AloftDomain", "AloftPredictionLog", "AloftStore", "AloftCompute", httpTypes,
                hummingbird, nioCore,
            ]),
        tests("AloftDomain"),
        tests("AloftEdge", ["AloftDomain", nioCore, nioEmbedded, nioHTTP1]),
        tests("AloftProjectFile", ["AloftDomain"]),
        tests("AloftSearch", ["AloftDomain"]),
        tests("AloftScheduling", ["AloftDomain"]),
        tests("AloftRollout", ["AloftDomain"]),
        tests("AloftPredictionLog", ["AloftDomain", "AloftTestKit"]),
        tests("AloftStore", ["AloftDomain", "AloftTestKit", grdb]),
        tests("AloftArtifacts", ["AloftDomain", "AloftTestKit"]),
        tests("AloftCompute", ["AloftDomain", "AloftProcess", "AloftTestKit"]),
        tests(
            "AloftInference",
            ["AloftDomain", "AloftPredictionLog", "AloftTestKit", "CAllocations", logging, nioCore]),
        tests(
            "AloftControl",
            [
                "AloftDomain", "AloftProjectFile", "AloftSearch", "AloftScheduling", "AloftStore",
                "AloftArtifacts", "AloftCompute", "AloftPredictionLog", "AloftWire", "AloftTestKit",
                grdb, logging,
            ]),
        tests(
            "AloftMLflow",
            [
                "AloftDomain", "AloftStore", "AloftArtifacts", "AloftTestKit",
                hummingbird, hummingbirdTesting, httpTypes, nioCore,
            ]),
        tests(
            "AloftAPI",
            [
                "AloftTestKit", "AloftArtifacts", "AloftControl", "AloftMLflow", "AloftStore",
                "AloftWire",
                "AloftDomain",
                "AloftEdge", hummingbird, hummingbirdTesting, httpTypes, nioCore, crypto, logging,
            ]),
        tests(
            "AloftGateway",
            [
                "AloftWire", "AloftDomain", "AloftPredictionLog", "AloftInference", "AloftEdge",
                "AloftClient",
                "AloftTestKit", hummingbird, crypto, logging, nioCore, nioEmbedded, nioHTTP1,
            ]),
        tests(
            "AloftGRPC",
            [
                "AloftDomain", "AloftGateway", "AloftClient", "AloftWire", "AloftTestKit", logging,
                nioCore, nioHPACK, nioHTTP2, nioPosix, protobuf,
            ]),
        tests(
            "AloftClient",
            ["AloftDomain", "AloftWire", "AloftTestKit", asyncHTTPClient, nioCore, nioPosix]),
        tests(
            "AloftTransfer",
            ["AloftDomain", "AloftWire", "AloftClient", "AloftTestKit", grdb, nioCore]),
    ]
)
