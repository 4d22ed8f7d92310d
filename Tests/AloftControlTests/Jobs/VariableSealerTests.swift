import AloftDomain
import AloftProjectFile
import Foundation
import Testing

@testable import AloftControl

@Suite struct VariableSealerTests {
    private let sealer = VariableSealer(key: "a key of these tests")

    @Test(arguments: [
        "API_TOKEN", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "DB_PASSWORD", "PGPASSWD", "dbPassword",
        "apiKey", "SSH_PRIVATE_KEY", "MY_CREDENTIALS", "credential", "KEY", "SecretSauce", "PWD",
        "AUTH", "SIGNING_KEYS", "PASS_PHRASE",
    ]) func `names that say secret are known`(name: String) {
        #expect(SecretVariable.isNamed(name))
    }

    @Test(arguments: [
        "MAX_TOKENS", "TOKENIZERS_PARALLELISM", "EPOCHS", "KEYBOARD", "PASSENGERS", "AUTHOR",
        "MLFLOW_TRACKING_URI", "", "_",
    ]) func `other names are not`(name: String) { #expect(!SecretVariable.isNamed(name)) }

    @Test func `what is sealed comes back by its name and key alone`() throws {
        let variables = ["API_TOKEN": "hunter2-ü", "EPOCHS": "3", "DATABASE": "postgres://a:b@c"]
        let sealed = try sealer.sealed(variables, secrets: ["DATABASE"])
        #expect(sealed["EPOCHS"] == "3")
        #expect(!"\(sealed)".contains("hunter2") && !"\(sealed)".contains("a:b"))
        #expect(try sealer.sealed(variables, secrets: ["DATABASE"]) == sealed)
        #expect(try sealer.sealed(sealed) == sealed, "a retry seals nothing twice")
        let opened = try sealer.opened(sealed)
        #expect(opened.variables == variables)
        #expect(opened.secrets == ["hunter2-ü", "postgres://a:b@c"])
        let token = try #require(sealed["API_TOKEN"])
        for (key, variables) in [
            ("another key", ["API_TOKEN": token]), ("a key of these tests", ["OTHER_TOKEN": token]),
        ] {
            #expect(throws: VariableSealer.Unreadable.self) {
                try VariableSealer(key: key).opened(variables)
            }
        }
        // A value that looks sealed and is not comes back as it was.
        let odd = ["NAME": "sealed:v1:nothing"]
        #expect(try sealer.opened(sealer.sealed(odd)).variables == odd)
    }

    private static let file = """
        project: flights
        jobs:
          train:
            run: python train.py
            variables:
              EPOCHS: 3
              API_TOKEN: hunter2-plain   # a remark
              DB_PASSWORD: "hunter2 \\"quoted\\" ü"
              OTHER_KEY: 'hunter2''s'
              DATABASE: postgres://u:hunter2@h/d
            secrets: [DATABASE]
          test: {run: "true", variables: {A_SECRET: hunter2-flow, B: 1}}

        """

    @Test func `a project file keeps its text but for the values of its secrets`() throws {
        let file = try ProjectFileParser.parse(Self.file)
        let text = try sealer.sealed(Self.file, of: file)
        #expect(!text.contains("hunter2"))
        #expect(text.contains("# a remark") && text.contains("EPOCHS: 3"))
        let stored = try ProjectFileParser.parse(text)
        let job = try #require(stored.job(named: "train"))
        #expect(
            try sealer.opened(job.variables).variables == file.job(named: "train")?.variables)
        let test = try #require(stored.job(named: "test"))
        #expect(try sealer.opened(test.variables).variables["A_SECRET"] == "hunter2-flow")
        #expect(try sealer.sealed(text, of: stored) == text, "applied again it is the same")
        let shown = VariableSealer.masked(text)
        #expect(shown.contains(#"API_TOKEN: "***"   # a remark"#) && !shown.contains("sealed:"))
    }

    @Test(arguments: ["|", "|-", "|+", ">", ">-"], ["\n", "\r\n"])
    func `a secret of several lines is kept apart too`(style: String, end: String) throws {
        let lines = [
            "project: p", "jobs:", "  a:", "    run: x", "    variables:",
            "      SSH_KEY: \(style)  # a remark",
            "        -----BEGIN-----", "        hunter2", "", "          hunter3",
            "        -----END-----", "",
            "      EPOCHS: 3", "  b: {run: y}", "",
        ]
        let text = lines.joined(separator: end)
        let file = try ProjectFileParser.parse(text)
        let sealed = try sealer.sealed(text, of: file)
        #expect(!sealed.contains("hunter") && !sealed.contains("BEGIN"))
        let stored = try ProjectFileParser.parse(sealed)
        let variables = try #require(stored.job(named: "a")).variables
        #expect(try sealer.opened(variables).variables == file.job(named: "a")?.variables)
        #expect(stored.jobs.map(\.name) == ["a", "b"])
        #expect(try sealer.sealed(sealed, of: stored) == sealed)
    }

    @Test func `what is shown in place of a secret is none`() throws {
        let shown = VariableSealer.masked(
            try sealer.sealed(Self.file, of: ProjectFileParser.parse(Self.file)))
        #expect(throws: VariableSealer.Masked.self) {
            try sealer.sealed(shown, of: ProjectFileParser.parse(shown))
        }
        #expect(throws: VariableSealer.Masked.self) { try sealer.sealed(["API_KEY": "***"]) }
    }

    @Test func `what was stored before values were sealed is masked by its name`() throws {
        let opened = try sealer.opened(["API_TOKEN": "hunter2", "EPOCHS": "3", "EMPTY_KEY": ""])
        #expect(opened.secrets == ["hunter2"])
    }

    @Test func `what cannot be kept apart is refused with its place`() throws {
        let text =
            "project: p\njobs:\n  a:\n    run: x\n    variables:\n      A_KEY: b\n        c\n"
        let file = try ProjectFileParser.parse(text)
        #expect(throws: ProjectFileError.self) { try sealer.sealed(text, of: file) }
    }
}
