import assert from "node:assert/strict";
import { test } from "node:test";
import {
    bytes, clockTime, count, duration, localStamp, measured, microseconds, number, percent, relativeTime, shorten,
} from "../src/core/format";

test("numbers have five digits, and an exponent where they are very large or small", () => {
    const cases: [number | string | undefined | null, string][] = [
        [0, "0"], [-0, "0"], [1, "1"], [1234567, "1,234,567"], [0.123456789, "0.12346"], [-0.5, "−0.5"], [1e-4, "0.0001"],
        [9.99e-5, "9.990e−5"], [1e9, "1.000e9"], [-2.5e300, "−2.500e300"], [1e-300, "1.000e−300"], [Number.MAX_VALUE, "1.798e308"],
        [Number.MIN_VALUE, "4.941e−324"], [NaN, "NaN"], [Infinity, "∞"], [-Infinity, "−∞"], [undefined, "–"], [null, "–"], ["as it is", "as it is"],
        [999999999, "999,999,999"], [123456.789, "123460"],
    ];
    for (const [value, text] of cases) assert.equal(number(value), text, String(value));
});

test("counts, shares and sizes", () => {
    assert.equal(count(5_000_000), "5,000,000");
    assert.equal(percent(33.333), "33.3%");
    assert.equal(percent(100), "100%");
    assert.equal(bytes(undefined), "");
    assert.equal(bytes(0), "0 B");
    assert.equal(bytes(999), "999 B");
    assert.equal(bytes(1000), "1 kB");
    assert.equal(bytes(4_815_814), "4.82 MB");
    // There is no unit above.
    assert.equal(bytes(2.5e15), "2500 TB");
});

test("spans of time say the unit that people would", () => {
    assert.equal(microseconds(undefined), "–");
    assert.equal(microseconds(999.4), "999 µs");
    assert.equal(microseconds(1234), "1.23 ms");
    assert.equal(microseconds(2_500_000), "2.5 s");
    assert.equal(measured("p99 latency", 0.0015), "1.5 ms");
    assert.equal(measured("error rate", 0.0015), "0.0015");
    assert.equal(measured("p99 latency", null), "–");
    const cases: [number, string][] = [
        [-5, "0 ms"], [0, "0 ms"], [999, "999 ms"], [1000, "1 s"], [59_949, "59.9 s"], [60_000, "1 min 0 s"], [3_599_999, "59 min 59 s"],
        [3_600_000, "1 h 0 min"], [86_400_000, "1 d 0 h"], [400 * 86_400_000, "400 d 0 h"],
    ];
    for (const [milliseconds, text] of cases) assert.equal(duration(milliseconds), text, String(milliseconds));
});

test("moments are told from now, older ones by their date", () => {
    const now = Date.UTC(2026, 10, 30, 12);
    const ago = (seconds: number) => relativeTime(now - seconds * 1000, now);
    assert.equal(ago(4), "just now");
    // Clocks of two machines differ a little.
    assert.equal(ago(-5), "just now");
    assert.equal(ago(-90), "in 1 min 30 s");
    assert.equal(ago(59), "59 s ago");
    assert.equal(ago(60), "1 min ago");
    assert.equal(ago(7200), "2 h ago");
    assert.equal(ago(13 * 86_400), "13 d ago");
    assert.match(ago(60 * 86_400), /2026/);
});

test("stamps are in the reader's zone, over a change of its clocks", () => {
    assert.equal(localStamp(Date.UTC(2026, 2, 29, 0, 59, 59, 7)), "2026-03-29 01:59:59.007");
    assert.equal(localStamp(Date.UTC(2026, 2, 29, 1)), "2026-03-29 03:00:00.000");
    assert.equal(clockTime(Date.UTC(2026, 10, 30, 3, 4, 5)), "04:04:05");
});

test("long texts are cut in the middle", () => {
    assert.equal(shorten("abc", 3), "abc");
    assert.equal(shorten("abcdef", 5), "ab…ef");
    assert.equal(shorten("abcdefgh", 6), "ab…gh");
    assert.ok(shorten("x".repeat(10_000), 12).length <= 12);
});
