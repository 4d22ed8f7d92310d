import Testing

@testable import AloftDomain

struct ProjectFileValueTests {
    @Test(arguments: [
        ("10ms", 0.01), ("1h30m", 5400), ("2.5s", 2.5), ("100us", 1e-4), ("2d", 172_800),
    ])
    func `a duration is a number and its unit`(text: String, seconds: Double) throws {
        #expect(abs(try #require(Quantity.duration(text)).seconds - seconds) < 1e-9)
    }

    @Test(arguments: ["", "10", "ms", "-1s", "1e3s", "1 s", "99999999h", "1..2s", "1h30"])
    func `what is no duration is none`(text: String) { #expect(Quantity.duration(text) == nil) }

    @Test(arguments: [
        ("2Gi", Int64(2_147_483_648)), ("512MiB", 536_870_912), ("1.5K", 1500), ("7", 7),
    ])
    func `a size is a number and its unit`(text: String, bytes: Int64) {
        #expect(Quantity.bytes(text) == bytes)
    }

    @Test(arguments: ["", "0", "-1", "2gi", "2 Gi", "9e99", "99999Ti", "B"])
    func `what is no size is none`(text: String) { #expect(Quantity.bytes(text) == nil) }

    @Test func `a command quotes each value and leaves the shell its own`() {
        let command = CommandTemplate("x ${a} $HOME ${b} ${1} ${ $(pwd) ${a}")
        #expect(command.parameters == ["a", "b"])
        #expect(
            command.command(with: ["a": .text("it's; rm"), "b": .double(0.5)])
                == "x 'it'\\''s; rm' $HOME 0.5 ${1} ${ $(pwd) 'it'\\''s; rm'")
        #expect(command.missing(from: ["a": .int(1)]) == ["b"])
        #expect(CommandTemplate.quoted("") == "''")
    }

    @Test func `a schedule has five fields within their bounds`() throws {
        let schedule = try CronSchedule("*/15 3,5 1-3 jan-mar mon-fri/2")
        #expect(schedule.minutes == [0, 15, 30, 45] && schedule.hours == [3, 5])
        #expect(schedule.days == [1, 2, 3] && schedule.months == [1, 2, 3])
        #expect(schedule.weekdays == [1, 3, 5])
        #expect(try CronSchedule("0 0 * * 7").weekdays == [0])
        #expect(try CronSchedule("5/20 * * * *").minutes == [5, 25, 45])
    }

    @Test(arguments: [
        "", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "a * * * *", "1- * * * *",
        "*/0 * * * *", "3-1 * * * *", ", * * * *", "-1 * * * *",
    ])
    func `what is no schedule is refused`(text: String) {
        #expect(throws: CronSchedule.Malformed.self) { try CronSchedule(text) }
    }
}
