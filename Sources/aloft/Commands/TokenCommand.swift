import AloftAPI
import AloftClient
import AloftDomain
import AloftStore
import AloftWire
import ArgumentParser

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Make, list and revoke tokens.",
        discussion: "Example: aloft token create ann",
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token and print its secret, once.",
            discussion: """
                Example: aloft token create ann

                The first token of a server that asks for tokens is made on its own machine, with
                its data folder: aloft token create admin --data ./aloft-data
                """)

        @Argument(help: "Whose token it is: a person's or a program's name.")
        var name: String

        @Option(help: "Write straight into this server's data folder instead of asking a server.")
        var data: String?

        @OptionGroup var options: ServerOptions

        func run() async throws {
            let secret: String
            if let data {
                secret = try await createLocally(in: data)
            } else {
                secret = try await options.client()
                    .call(CreateToken.self, body: .init(name: name)).secret
            }
            if options.json {
                try Terminal.json(CreateToken.Reply(name: name, secret: secret))
            } else {
                Terminal.line(secret)
                Terminal.note("Keep it: it is not stored and not shown again.")
            }
        }

        private func createLocally(in folder: String) async throws -> String {
            guard DataFolder.holdsDatabase(path: folder) else {
                throw CommandFailure(
                    "\(folder) is no data folder: start a server with --data \(folder) first")
            }
            PrivateFiles.begin()
            let store = try Store(path: DataFolder.databasePath(in: folder))
            defer { try? store.close() }
            return try await TokenIssuer(store: store, time: .live, chance: .live())
                .create(name: name, by: .local)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List tokens, without their secrets.",
            discussion: "Example: aloft token list --json")

        @OptionGroup var options: ServerOptions

        func run() async throws {
            let reply = try await options.client().call(ListTokens.self)
            guard !options.json else { return try Terminal.json(reply) }
            var table = TextTable([("NAME", .left), ("CREATED", .left)])
            for token in reply.tokens { table.add([token.name, token.createdAt]) }
            Terminal.line(table.text)
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a token at once.",
            discussion: "Example: aloft token revoke ann")

        @Argument(help: "The token's name.")
        var name: String

        @OptionGroup var options: ServerOptions

        func run() async throws {
            _ = try await options.client().call(RevokeToken.self, path: ["name": name])
            Terminal.line("revoked \(name)")
        }
    }
}
