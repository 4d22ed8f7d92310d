import assert from "node:assert/strict";
import { test } from "node:test";
import {
    isEstimated, isWhole, linesOf, merged, placesOf, stepsWithin,
} from "../src/components/curves/prepare";
import { estimated, smoothed } from "../src/components/curves/smoothing";
import type { Curve } from "../src/components/useCurves";

const near = (a: number, b: number) => Math.abs(a - b) < 1e-12;
const curve = (steps: number[], values: number[], more: Partial<Curve> = {}): Curve => ({
    runID: "r", start: 1000, pointCount: values.length, steps, times: steps.map((step) => 1000 + step * 1000), values, ...more,
});

test("no weight leaves all as it is, nothing is nothing, one point is itself", () => {
    const values = [1, NaN, Infinity];
    assert.equal(smoothed([0, 1, 2], values, 0), values);
    assert.deepEqual(smoothed([], [], 0.9), []);
    assert.deepEqual(smoothed([5], [7], 0.9), [7]);
});

test("a point counts `weight` times as much for each unit of distance", () => {
    const [first, second, third] = smoothed([0, 1, 2], [1, 3, 5], 0.5);
    assert.equal(first, 1);
    assert.ok(near(second ?? 0, (0.5 * 1 + 3) / 1.5));
    assert.ok(near(third ?? 0, (0.25 * 1 + 0.5 * 3 + 5) / 1.75));
    // Twice as far away is the same as a point between that is not there.
    assert.ok(near(smoothed([0, 2], [1, 5], 0.5, 3)[1] ?? 0, (0.25 * 1 + 5) / 1.25));
});

test("what is no number neither counts nor is smoothed", () => {
    const values = smoothed([0, 1, 2, 3], [1, NaN, Infinity, 1], 0.9);
    assert.ok(near(values[0] ?? 0, 1) && Number.isNaN(values[1]) && Number.isNaN(values[2]) && near(values[3] ?? 0, 1));
    assert.ok(smoothed([0, 1], [NaN, NaN], 0.9).every(Number.isNaN));
});

test("a constant stays, whatever its size; points at one place have their mean", () => {
    for (const value of [0, 1e-300, -1e300]) {
        for (const each of smoothed([0, 1, 5, 1e6], [value, value, value, value], 0.97)) assert.ok(Math.abs(each - value) <= Math.abs(value) * 1e-12, String(each));
    }
    assert.deepEqual(smoothed([3, 3, 3], [1, 2, 6], 0.5), [1, 1.5, 3]);
});

test("a long line of five million points is smoothed in a moment", () => {
    const x = Float64Array.from({ length: 200_000 }, (_, index) => index) as unknown as number[];
    const y = Array.from({ length: 200_000 }, (_, index) => Math.sin(index / 1000));
    const result = smoothed(x, y, 0.9, 5_000_000);
    assert.equal(result.length, y.length);
    assert.ok(result.every(Number.isFinite));
});

test("before the server answers, a line stands where its last answer and the points here say", () => {
    const known = { values: [1, 2, 3], pointCount: 4, smoothed: [10, 20, 30], weight: 0.5 };
    // The same weight: nothing moves.
    estimated([0, 1, 2], known, 0.5).forEach((value, index) => assert.ok(near(value, known.smoothed[index] ?? NaN)));
    const moved = estimated([0, 1, 2], known, 0.9);
    assert.equal(moved[0], 10);
    assert.ok((moved[2] ?? 0) < 30);
    // Without an answer, as good as the points here allow.
    assert.deepEqual(estimated([0, 1], { values: [1, 3], pointCount: 2 }, 0.5), smoothed([0, 1], [1, 3], 0.5));
});

test("curves have their places by step, time of day and time since the start", () => {
    const one = curve([0, 2], [1, 2]);
    assert.deepEqual(placesOf(one, "step"), [0, 2]);
    assert.deepEqual(placesOf(one, "time"), [1000, 3000]);
    assert.deepEqual(placesOf(one, "relative"), [0, 2]);
    assert.ok(isWhole(one) && isWhole(curve([], [])));
    assert.ok(!isWhole(curve([0], [1], { pointCount: 2 })));
    assert.ok(isEstimated(curve([0], [1], { pointCount: 2 }), 0.5));
    assert.ok(!isEstimated(curve([0], [1], { pointCount: 2 }), 0) && !isEstimated(one, 0.5));
    assert.ok(!isEstimated(curve([0], [1], { pointCount: 2, smoothed: [1], weight: 0.5 }), 0.5));
});

test("finer points of a part replace those there; the rest stays", () => {
    const whole = curve([0, 10, 20, 30], [0, 1, 2, 3], { pointCount: 31 });
    const part = curve([10, 12, 18, 20], [1, 1.2, 1.8, 2], { pointCount: 31 });
    const [both] = merged([whole], [part], "step", [10, 20]);
    assert.deepEqual(both?.steps, [0, 10, 12, 18, 20, 30]);
    assert.deepEqual(both?.values, [0, 1, 1.2, 1.8, 2, 3]);
    // A run that has nothing there, a whole one and an unknown one stay as they are.
    assert.deepEqual(merged([whole], [curve([], [], { pointCount: 31 })], "step", [10, 20]), [whole]);
    assert.deepEqual(merged([whole], [{ ...part, runID: "other" }], "step", [10, 20]), [whole]);
    const small = curve([0, 1], [0, 1]);
    assert.deepEqual(merged([small], [part], "step", [0, 1]), [small]);
});

test("a part of the axis is asked for by its steps, with the points beside it", () => {
    const one = curve([0, 5, 10, 20], [0, 0, 0, 0]);
    assert.deepEqual(stepsWithin([4.2, 10.7], [one], "step"), [4, 11]);
    assert.deepEqual(stepsWithin([5000, 7000], [one], "time"), [0, 10]);
    assert.deepEqual(stepsWithin([4, 11], [one], "relative"), [0, 20]);
    assert.equal(stepsWithin([100_000, 200_000], [one], "time"), null);
    assert.equal(stepsWithin([0, 1], [], "time"), null);
});

test("lines have the colours of their runs, and the values before smoothing behind them", () => {
    const runs = [{ id: "r", name: "run", color: "#123" }, { id: "none", name: "no values", color: "#456" }];
    const [plain, ...others] = linesOf([curve([0, 1, 2], [1, 2, 9])], runs, "step", 0);
    assert.equal(others.length, 0);
    assert.deepEqual([plain?.name, plain?.color, plain?.y, plain?.raw], ["run", "#123", [1, 2, 9], undefined]);
    const [smooth] = linesOf([curve([0, 1, 2], [1, 2, 9])], runs, "step", 0.9);
    assert.deepEqual(smooth?.raw, [1, 2, 9]);
    assert.ok((smooth?.y[2] ?? 9) < 9);
    // One point has nothing to be smoothed by.
    assert.equal(linesOf([curve([0], [1])], runs, "step", 0.9)[0]?.raw, undefined);
    // By the server's answer where it is for this weight.
    const long = curve([0, 9], [1, 2], { pointCount: 10, smoothed: [5, 6], weight: 0.9 });
    assert.deepEqual(linesOf([long], runs, "step", 0.9)[0]?.y, [5, 6]);
});
