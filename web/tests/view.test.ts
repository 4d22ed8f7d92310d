import assert from "node:assert/strict";
import { test } from "node:test";
import {
    yExtent, fromX, fromY, height, indexAt, nearest, toX, toY, valuesAt, xExtent, withoutPlace, type Line, type Projection,
} from "../src/components/curves/view";

const line = (x: number[], y: number[], more: Partial<Line> = {}): Line => ({ id: "a", name: "a", color: "#000", x, y, ...more });
const frame = { left: 40, top: 10, width: 400, height: 200 };
const placed = (lines: Line[], view: Projection["view"], logY = false): Projection => ({ lines, view, frame, logY });

test("the first index at a place", () => {
    const x = [1, 2, 2, 5];
    assert.deepEqual([0, 1, 2, 3, 5, 6].map((at) => indexAt(x, at)), [0, 0, 1, 3, 3, 4]);
    assert.equal(indexAt([], 1), 0);
    const many = Array.from({ length: 5_000_000 }, (_, index) => index);
    assert.equal(indexAt(many, 4_999_999), 4_999_999);
});

test("the horizontal axis goes from the first to the last point of all lines", () => {
    assert.deepEqual(xExtent([]), { from: 0, to: 1 });
    assert.deepEqual(xExtent([line([], [])]), { from: 0, to: 1 });
    assert.deepEqual(xExtent([line([1, 5], [0, 0]), line([3, 9], [0, 0])]), { from: 1, to: 9 });
    assert.deepEqual(xExtent([line([7], [1])]), { from: 6, to: 8 });
    // Points are not cut by the edge.
    const cloud = xExtent([line([0, 100], [0, 0], { shape: "points" })]);
    assert.ok(cloud.from < 0 && cloud.to > 100);
});

test("an axis always has a width that is a number", () => {
    const cases: number[][] = [[1e300], [-1e300], [Number.MAX_VALUE], [-Number.MAX_VALUE, Number.MAX_VALUE], [5e-324], [0, 1e-320], [1e300, 1.0000001e300]];
    for (const x of cases) {
        for (const shape of ["line", "points"] as const) {
            const { from, to } = xExtent([line(x, x, { shape })]);
            assert.ok(Number.isFinite(to - from) && to > from, `${x} as ${shape}: ${from} to ${to}`);
        }
        const { from, to } = yExtent([line(x.map((_, index) => index), x)], { from: 0, to: 9 }, false);
        assert.ok(Number.isFinite(to - from) && to > from, `${x}: ${from} to ${to}`);
        assert.ok(yExtent([line([0], x)], { from: 0, to: 9 }, true).to > -Infinity);
    }
});

test("the vertical axis fits what is seen, and what comes in from beside it", () => {
    const curve = line([0, 1, 2, 3, 4], [100, 0, 10, 0, -100]);
    const seen = yExtent([curve], { from: 1.5, to: 2.5 }, false);
    assert.deepEqual([seen.from, seen.to], [-0.5, 10.5]);
    // Points beside the part are not seen.
    const cloud = yExtent([{ ...curve, shape: "points" }], { from: 1.5, to: 2.5 }, false);
    assert.ok(cloud.from < 10 && cloud.to > 10 && cloud.to < 20 && cloud.from > 0);
});

test("values without a height do not count for the axis", () => {
    assert.deepEqual(yExtent([line([0, 1, 2], [NaN, Infinity, -Infinity])], { from: 0, to: 2 }, false), { from: 0, to: 1 });
    const span = yExtent([line([0, 1, 2], [NaN, 4, Infinity])], { from: 0, to: 2 }, false);
    assert.ok(span.from < 4 && span.to > 4 && Number.isFinite(span.to));
    assert.deepEqual(yExtent([line([0, 1], [-1, 0])], { from: 0, to: 1 }, true), { from: 0, to: 1 });
});

test("an axis from zero begins there, on whichever side the values are", () => {
    const x = { from: 0, to: 1 };
    assert.equal(yExtent([line([0, 1], [3, 5])], x, false, true).from, 0);
    const below = yExtent([line([0, 1], [-3, -5])], x, false, true);
    assert.ok(below.to === 0 && below.from < -5);
    const nothing = yExtent([line([0, 1], [0, 0])], x, false, true);
    assert.ok(nothing.from === 0 && nothing.to === 1);
});

test("pixels and values are each other's", () => {
    const view = { x: { from: -5, to: 5 }, y: { from: 0, to: 1 } };
    for (const at of [-5, 0, 3.3, 5]) assert.ok(Math.abs(fromX(view, frame, toX(view, frame, at)) - at) < 1e-9);
    for (const at of [0, 0.25, 1]) assert.ok(Math.abs(fromY(view, frame, toY(view, frame, at)) - at) < 1e-9);
    assert.equal(toY(view, frame, 1), frame.top);
    assert.equal(height(0, true), NaN);
    assert.equal(height(-1, true), NaN);
    assert.equal(height(Infinity, false), NaN);
    assert.equal(height(100, true), 2);
});

test("marks are counted: NaN and infinities, and on a logarithmic axis all that is not above zero", () => {
    const odd = line([0, 1, 2, 3], [NaN, Infinity, 0, 1]);
    assert.equal(withoutPlace([odd], false), 2);
    assert.equal(withoutPlace([odd], true), 3);
    // What was not measured is a gap, an infinity is still told.
    assert.equal(withoutPlace([{ ...odd, isSparse: true }], false), 1);
    // Of a smoothed line those before smoothing.
    assert.equal(withoutPlace([line([0, 1], [NaN, NaN], { raw: [1, NaN] })], false), 1);
});

test("the value nearest to the pointer is found, and none far from it", () => {
    const view = { x: { from: 0, to: 10 }, y: { from: 0, to: 10 } };
    const curve = line([0, 5, 10], [0, 5, 10]);
    assert.equal(nearest(placed([curve], view), 240, 110)?.index, 1);
    assert.equal(nearest(placed([curve], view), 240, 10), null);
    assert.equal(nearest(placed([], view), 240, 110), null);
    assert.equal(nearest(placed([line([5], [NaN])], view), 240, 110), null);
    // Of many points at one place each can be pointed at.
    const cloud = line([5, 5, 5, 5, 5, 5, 5, 5], [1, 2, 3, 4, 6, 7, 8, 9], { shape: "points" });
    cloud.y.forEach((value, index) => {
        assert.equal(nearest(placed([cloud], view), 241, toY(view, frame, value) + 1)?.index, index);
    });
    // After zooming, what stands outside is not pointed at.
    const part = { x: { from: 4, to: 6 }, y: { from: 8, to: 10 } };
    assert.equal(nearest(placed([cloud], part), 240, 205)?.line.y[nearest(placed([cloud], part), 240, 205)?.index ?? -1], 8);
});

test("at one place all lines tell their values, those that have one there", () => {
    const view = { x: { from: 0, to: 10 }, y: { from: 0, to: 10 } };
    const lines = [line([0, 5, 10], [1, 2, 3]), line([0, 5, 10], [4, NaN, 6], { id: "b" }), line([5], [9], { id: "c" })];
    assert.deepEqual(valuesAt(placed(lines, view), 238).map(({ line: { id }, index }) => [id, index]), [["a", 1], ["c", 0]]);
    assert.deepEqual(valuesAt(placed(lines, view), 438).map(({ line: { id } }) => id), ["a", "b"]);
    // Between places that are far apart nothing is told.
    assert.deepEqual(valuesAt(placed(lines, view), 140), []);
    assert.deepEqual(valuesAt(placed([], view), 240), []);
    assert.deepEqual(valuesAt(placed([line([5], [NaN])], view), 240), []);
});
