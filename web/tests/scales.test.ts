import assert from "node:assert/strict";
import { test } from "node:test";
import { linearTicks, logTicks, categoryTicks, secondTicks, timeTicks, type Tick } from "../src/components/curves/scales";

const labels = (ticks: Tick[]) => ticks.map(({ label }) => label);

/** Ticks rise, stand within the ends, are not too many, and no two read alike. */
function assertSound(ticks: Tick[], low: number, high: number, most: number, what: string): void {
    assert.ok(ticks.length <= most, `${what}: ${ticks.length} ticks`);
    const room = (high - low) * 1e-6;
    ticks.forEach(({ at, label }, index) => {
        assert.ok(at >= low - room && at <= high + room, `${what}: ${at}`);
        assert.ok(label !== "" && !/NaN|Invalid|undefined/.test(label), `${what}: ${label}`);
        const before = ticks[index - 1];
        if (before !== undefined) assert.ok(at > before.at && label !== before.label, `${what}: ${before.label} then ${label}`);
    });
}

test("ticks stand at round places", () => {
    assert.deepEqual(labels(linearTicks(0, 1, 5)), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    assert.deepEqual(labels(linearTicks(-1, 1, 4)), ["−1.0", "−0.5", "0", "0.5", "1.0"]);
    assert.deepEqual(labels(linearTicks(0, 4_000_000, 4)), ["0", "1M", "2M", "3M", "4M"]);
    // Steps are whole: no tick between two of them.
    assert.deepEqual(labels(linearTicks(0, 2, 10, 1)), ["0", "1", "2"]);
    assert.deepEqual(labels(linearTicks(3, 3.4, 10, 1)), ["3"]);
});

test("ticks of any axis are few, in order and told apart", () => {
    const ends: [number, number][] = [
        [0, 1], [-1, 1], [0.1, 0.1000001], [1e-300, 3e-300], [-1e300, 1e300], [-Number.MAX_VALUE / 4, Number.MAX_VALUE / 4], [1e9, 1e9 + 10],
        [0, Number.MAX_SAFE_INTEGER], [5e-324, 1e-322], [-1e-9, 2e9], [123456789, 123456799], [999_999, 1_000_001],
    ];
    for (const [low, high] of ends) {
        for (const wanted of [2, 5, 20]) assertSound(linearTicks(low, high, wanted), low, high, wanted * 3 + 1, `${low} to ${high}, ${wanted}`);
    }
});

test("an axis without a width or of no numbers has no ticks", () => {
    for (const [low, high] of [[1, 1], [2, 1], [NaN, 1], [0, NaN], [0, Infinity], [-Infinity, Infinity]] as [number, number][]) {
        assert.deepEqual(linearTicks(low, high, 5), [], `${low} to ${high}`);
    }
});

test("of a logarithmic axis ticks are powers of ten, or finer ones within one", () => {
    assert.deepEqual(labels(logTicks(-3, 2, 8)), ["0.001", "0.01", "0.1", "1", "10", "100"]);
    const wide = logTicks(-300, 300, 6);
    assertSound(wide, -300, 300, 8, "wide");
    assert.ok(wide.length >= 4);
    const narrow = logTicks(Math.log10(2), Math.log10(3), 5);
    assertSound(narrow, Math.log10(2), Math.log10(3), 16, "narrow");
    assert.ok(narrow.length >= 3);
    assert.deepEqual(logTicks(NaN, NaN, 5), []);
});

test("times of day are round where the reader is", () => {
    const from = Date.UTC(2026, 10, 30, 3, 1, 7);
    const ticks = timeTicks(from, from + 10 * 60_000, 5);
    assertSound(ticks, from, from + 10 * 60_000, 12, "ten minutes");
    for (const { at } of ticks) assert.equal(at % 120_000, 0);
    assert.match(ticks[0]?.label ?? "", /^04:02/);
    // Midnight says its day.
    const night = Date.UTC(2026, 10, 29, 23);
    assert.ok(labels(timeTicks(night - 3_600_000, night + 3_600_000, 4)).some((label) => /30/.test(label)));
});

test("times of any span, also those that no clock has", () => {
    const from = Date.UTC(2026, 10, 30);
    for (const span of [1, 50, 999, 5000, 3_600_000, 30 * 86_400_000, 40 * 365 * 86_400_000]) {
        assertSound(timeTicks(from, from + span, 6), from, from + span, 20, `${span} ms`);
    }
    for (const [low, high] of [[NaN, NaN], [1e20, 2e20], [-1e300, 1e300], [0, 0]] as [number, number][]) {
        assert.ok(timeTicks(low, high, 5).length <= 16, `${low} to ${high}`);
    }
});

test("time since a start is told in seconds, minutes, hours or days", () => {
    assert.deepEqual(labels(secondTicks(0, 30, 3)), ["0 s", "10 s", "20 s", "30 s"]);
    assert.match(labels(secondTicks(0, 1800, 3))[1] ?? "", / min$/);
    assert.match(labels(secondTicks(0, 40_000, 3))[1] ?? "", / h$/);
    assert.match(labels(secondTicks(0, 10 * 86_400, 3))[1] ?? "", / d$/);
    assert.ok(secondTicks(-1e300, 1e300, 4).length <= 13);
});

test("categories have a tick each where there is room, else every other one", () => {
    assert.deepEqual(categoryTicks(["a", "b", "c"], -0.5, 2.5, 300), [{ at: 0, label: "a" }, { at: 1, label: "b" }, { at: 2, label: "c" }]);
    assert.deepEqual(categoryTicks([], -0.5, -0.5, 300), []);
    // Only what is seen.
    assert.deepEqual(labels(categoryTicks(["a", "b", "c"], 0.5, 1.5, 300)), ["b"]);
    const many = Array.from({ length: 1000 }, (_, index) => `value number ${index}`);
    const ticks = categoryTicks(many, -0.5, 999.5, 600);
    assert.ok(ticks.length > 3 && ticks.length < 20, String(ticks.length));
    for (const { label } of categoryTicks(["x".repeat(10_000), "y"], -0.5, 1.5, 200)) assert.ok(label.length < 20);
    assert.equal(categoryTicks(many, -0.5, 999.5, 0).length, 1);
});
