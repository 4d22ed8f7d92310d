import Testing

@testable import AloftDomain

@Suite struct TellingLineTests {
    @Test(arguments: [
        (
            "Traceback (most recent call last):\n  File \"t.py\", line 3, in <module>\n"
                + "    float('x')\n    ^^^^^^\nValueError: could not convert string to float: 'x'\n"
                + "🏃 View run a at: http://127.0.0.1/#/experiments/0/runs/1\n\n",
            "ValueError: could not convert string to float: 'x'"
        ),
        ("one\nsh: 1: train: not found\n", "sh: 1: train: not found"),
        (
            "\u{1b}[31mtorch.cuda.OutOfMemoryError: CUDA out of memory\u{1b}[0m\r\ncleaning up\n",
            "torch.cuda.OutOfMemoryError: CUDA out of memory"
        ),
        ("KeyboardInterrupt", "KeyboardInterrupt"),
    ])
    func `the line that says why is found`(log: String, line: String) {
        #expect(TellingLine.of(log) == line)
    }

    @Test func `a log that says nothing has none`() {
        #expect(TellingLine.of("") == nil)
        #expect(TellingLine.of("\n----\n  ^^^^\n") == nil)
    }
}
