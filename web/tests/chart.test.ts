import "./browser";
import { Recorded } from "./canvas";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChartController, type ChartSettings } from "../src/components/curves/controller";
import type { Hit, Line } from "../src/components/curves/view";

const line = (x: number[], y: number[], more: Partial<Line> = {}): Line => ({ id: "a", name: "a", color: "#000", x, y, ...more });

/** A chart of 600 by 300 pixels; what is told to the page is kept. */
function chart() {
    const recorded = new Recorded();
    const box = { clientWidth: 600, clientHeight: 300, dataset: {} as Record<string, string> };
    const selection = { style: {} as Record<string, string> };
    const canvas = { width: 0, height: 0, getContext: () => recorded.context };
    const ranges: ([number, number] | null)[] = [];
    let hits: Hit[] = [];
    const controller = new ChartController(canvas as unknown as HTMLCanvasElement, box as unknown as HTMLElement, selection as unknown as HTMLElement, {
        onRange: (range) => ranges.push(range), onHits: (next) => { hits = next; },
    });
    const show = async (setting: Partial<ChartSettings> & { lines: Line[] }) => {
        controller.show({ kind: "number", logY: false, ...setting });
        await painted();
    };
    /** What is drawn comes with the next frame. */
    const painted = () => new Promise<void>((done) => { setTimeout(done, 0); });
    const zoomed = () => (box.dataset["zoomed"] ?? "").split(" ").filter((text) => text !== "").map(Number);
    return { controller, show, painted, box, selection, ranges, recorded, zoomed, hits: () => hits };
}

test("any values are drawn at places that are numbers", async () => {
    const columns: number[][] = [
        [], [0], [NaN], [Infinity, -Infinity], [1e300, -1e300], [Number.MAX_VALUE, -Number.MAX_VALUE], [5e-324, 0, 1e-320], [1, NaN, 2, Infinity, 3], [0, 0, 0],
    ];
    for (const y of columns) {
        for (const shape of ["line", "stairs", "points"] as const) {
            for (const logY of [false, true]) {
                const { show, recorded, controller } = chart();
                await show({ lines: [line(y.map((_, index) => index), y, { shape, isDashed: true })], logY, titleY: "y", title: "x" });
                assert.ok(recorded.numbers.every(Number.isFinite), `${y} as ${shape}, ${logY}`);
                assert.ok(recorded.texts.every((text) => !/NaN|undefined|Infinity/.test(text)), `${y} as ${shape}: ${recorded.texts}`);
                controller.hover(300, 150);
                controller.stop();
            }
        }
    }
});

test("five million points are drawn within a bound, of a part only those that are seen", async () => {
    const x = Array.from({ length: 300_000 }, (_, index) => index);
    const { show, recorded, controller, painted } = chart();
    await show({ lines: [line(x, x)] });
    assert.ok(recorded.count("lineTo") >= 299_999);
    recorded.calls.clear();
    const hold = controller.grab(100, 100, false);
    hold.end(101 + 6, 100);
    await painted();
    assert.ok(recorded.count("lineTo") < 10_000, String(recorded.count("lineTo")));
    controller.stop();
});

test("marks are a row for many, and each kind its own", async () => {
    const { show, recorded, box } = chart();
    await show({ lines: [line([0, 1, 2, 3, 4], [NaN, Infinity, -Infinity, 1, 2])] });
    assert.equal(box.dataset["marks"], "3");
    assert.equal(recorded.count("fill"), 2);
    const many = Array.from({ length: 100_000 }, (_, index) => index);
    const crowd = chart();
    await crowd.show({ lines: [line(many, many.map(() => NaN))] });
    assert.equal(crowd.box.dataset["marks"], "100000");
    assert.ok(crowd.recorded.count("stroke") < 200);
});

test("dragging chooses a part, a short drag is a click, a double click shows all", async () => {
    const { controller, show, painted, ranges, zoomed, selection } = chart();
    await show({ lines: [line([0, 10], [0, 10])] });
    controller.grab(100, 100, false).end(104, 100);
    assert.deepEqual(ranges, []);
    const hold = controller.grab(100, 100, false);
    hold.move(300, 200);
    // Not a box: the whole height.
    assert.ok(Number.parseFloat(selection.style["height"] ?? "") > 200);
    assert.equal(selection.style["width"], "200px");
    hold.end(300, 200);
    await painted();
    const [from = NaN, to = NaN, ...rest] = zoomed();
    assert.ok(from > 0 && to < 10 && to > from && rest.length === 0);
    assert.deepEqual(ranges, [[from, to]]);
    // Backwards is the same part.
    controller.reset();
    await painted();
    controller.grab(300, 100, false).end(100, 100);
    await painted();
    assert.deepEqual(zoomed(), [from, to]);
    controller.reset();
    await painted();
    assert.deepEqual(zoomed(), []);
    assert.equal(ranges[ranges.length - 1], null);
});

test("a box chooses of both axes; a flat one only across, a narrow one only up", async () => {
    const { controller, show, painted, zoomed } = chart();
    const lines = [line([0, 10], [0, 10], { shape: "points" })];
    await show({ lines, boxZoom: true });
    controller.grab(100, 50, false).end(300, 150);
    await painted();
    const [left = NaN, right = NaN, low = NaN, high = NaN] = zoomed();
    assert.ok(left < right && low > 0 && low < high && high < 10);
    controller.reset();
    await painted();
    controller.grab(100, 50, false).end(300, 55);
    await painted();
    assert.equal(zoomed().length, 2);
    controller.reset();
    await painted();
    controller.grab(100, 50, false).end(103, 150);
    await painted();
    const narrow = zoomed();
    assert.equal(narrow.length, 4);
    assert.ok((narrow[0] ?? 1) <= 0 && (narrow[1] ?? 1) >= 10);
    assert.ok(Math.abs((narrow[2] ?? 0) - low) < 1e-9 && Math.abs((narrow[3] ?? 0) - high) < 1e-9);
});

test("panning and keys move the part; far out all is shown again", async () => {
    const { controller, show, painted, zoomed } = chart();
    await show({ lines: [line([0, 10], [0, 10])] });
    controller.zoom(0.5);
    await painted();
    const [from = NaN, to = NaN] = zoomed();
    assert.ok(Math.abs(to - from - 5) < 1e-9);
    controller.pan(0.2);
    await painted();
    assert.ok(Math.abs((zoomed()[0] ?? NaN) - from - 1) < 1e-9);
    const hold = controller.grab(300, 100, true);
    hold.move(320, 100);
    hold.end(320, 100);
    await painted();
    assert.ok((zoomed()[0] ?? NaN) < from + 1);
    controller.zoom(4);
    await painted();
    assert.deepEqual(zoomed(), []);
    // One cannot zoom until numbers have no more digits to tell places apart.
    for (let times = 0; times < 200; times += 1) controller.zoom(0.5);
    await painted();
    const [least = NaN, most = NaN] = zoomed();
    assert.ok(most > least);
    controller.stop();
});

test("the part stays while lines grow, and goes with another axis or once time has left it", async () => {
    const { controller, show, painted, zoomed, ranges } = chart();
    await show({ lines: [line([0, 10], [0, 10])], kind: "time", domain: { from: 0, to: 10 } });
    controller.zoom(0.5);
    await show({ lines: [line([1, 11], [0, 10])], kind: "time", domain: { from: 1, to: 11 } });
    assert.equal(zoomed().length, 2);
    await show({ lines: [line([90, 100], [0, 10])], kind: "time", domain: { from: 90, to: 100 } });
    assert.deepEqual(zoomed(), []);
    assert.equal(ranges[ranges.length - 1], null);
    controller.zoom(0.5);
    await show({ lines: [line([0, 10], [0, 10])], title: "another" });
    assert.deepEqual(zoomed(), []);
    controller.stop();
    await painted();
});

test("the pointer finds one value, or those of all lines at its place", async () => {
    const one = chart();
    const lines = [line([0, 5, 10], [1, 2, 3]), line([0, 5, 10], [3, 2.5, NaN], { id: "b" })];
    await one.show({ lines });
    one.controller.hover(590, 20);
    assert.deepEqual(one.hits().map(({ line: { id }, index }) => [id, index]), [["a", 2]]);
    one.controller.leave();
    assert.deepEqual(one.hits(), []);
    const all = chart();
    await all.show({ lines, sharedTooltip: true });
    all.controller.hover(300, 20);
    assert.deepEqual(all.hits().map(({ line: { id } }) => id), ["a", "b"]);
    all.controller.hover(586, 20);
    assert.deepEqual(all.hits().map(({ line: { id } }) => id), ["a"]);
});
