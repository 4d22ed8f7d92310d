import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Schemas } from "../src/api/generated";
import type { Run } from "../src/api/mlflow";
import { kindOfFailure, reasonOf } from "../src/components/failures";
import { colorsOf } from "../src/components/runColors";
import { askedOf, intervals, millisecondsText, perSecond, rateText, ratesOf, shareText, type Series, type Traffic } from "../src/components/traffic";
import { axesOf, metricKeys } from "../src/pages/Compare/axes";
import { linesOf, scaleOf } from "../src/pages/Compare/scale";
import { placeOnAxis, valueOf, type Point } from "../src/pages/Compare/values";
import { checked } from "../src/pages/Deployment/fields";
import { faultsOf, signatureOf } from "../src/pages/Deployment/signature";
import { ordinal } from "../src/pages/Jobs/Jobs";
import { indented, refusal } from "../src/pages/Prediction/json";
import { bestOf, rungsOf } from "../src/pages/Sweep/Rungs";

type Trial = Schemas["TrialView"];

const run = (id: string, metrics: Record<string, number | string>, params: Record<string, string> = {}): Run => ({
    info: { run_id: id, experiment_id: "1", status: "FINISHED" },
    data: {
        metrics: Object.entries(metrics).map(([key, value]) => ({ key, value, step: 0, timestamp: 0 })),
        params: Object.entries(params).map(([key, value]) => ({ key, value })),
    },
}) as unknown as Run;

test("metrics that judge come first, counters and the machine's last", () => {
    const runs = [run("a", { epoch: 1, loss: 1, val_auc: 1, "system/cpu": 1, odd: 1 }), run("b", { epoch: 1, loss: 1, val_auc: 1, "system/cpu": 1, rare_f1: 1 }), run("c", {})];
    // What few of the runs have shows little of them.
    assert.deepEqual(metricKeys(runs), ["val_auc", "loss", "epoch", "rare_f1", "system/cpu", "odd"]);
    // What measures stands before what only has a name.
    assert.deepEqual(metricKeys([run("a", { odd: 1, recall: 1, step: 1 })]), ["recall", "odd", "step"]);
    assert.deepEqual(metricKeys([]), []);
});

test("axes are the parameters that differ and the metrics that are numbers", () => {
    const runs = [run("a", { auc: 0.5, bad: "NaN" }, { depth: "3", same: "1", kind: "x" }), run("b", { auc: 0.6 }, { depth: "10", same: "1", kind: "7" })];
    const axes = axesOf(runs, ["auc", "bad"]);
    assert.deepEqual(axes.map(({ name }) => name), ["depth", "kind", "auc"]);
    assert.deepEqual([...axes[0]?.values.values() ?? []], [3, 10]);
    // One text makes texts of all.
    assert.deepEqual([...axes[1]?.values.values() ?? []], ["x", "7"]);
});

test("an axis of parallel coordinates goes from its least to its greatest value", () => {
    const scale = (...values: (number | string)[]) => scaleOf({ name: "a", values: new Map(values.map((value, index) => [String(index), value])) });
    const plain = scale(1, 3, 2);
    assert.deepEqual([plain.place(1), plain.place(2), plain.place(3), plain.low, plain.high], [0, 0.5, 1, "1", "3"]);
    assert.ok(Math.abs(scale(0.001, 0.1, 10).place(0.1) - 0.5) < 1e-9);
    const names = scale("b", "a", "c");
    assert.deepEqual([names.place("a"), names.place("b"), names.place("c")], [0, 0.5, 1]);
    assert.equal(scale("only").place("only"), 0.5);
    for (const values of [[5], [0, 0], [-1e308, 1e308], [5e-324, 1e308], [-1e300]] as number[][]) {
        for (const value of values) {
            const share = scale(...values).place(value);
            assert.ok(share >= 0 && share <= 1, `${value} of ${values}: ${share}`);
        }
    }
    assert.deepEqual(linesOf("learning_rate"), ["learning_rate"]);
    assert.ok(linesOf("x".repeat(1000)).every((line) => line.length <= 36));
    assert.equal(linesOf("").join(""), "");
    assert.equal(linesOf("a/very/long.name_of-something 🚀").join(""), "a/very/long.name_of-something 🚀");
});

test("points of a scatter chart stand by number, by date or by name", () => {
    const point = (x: number | string, y = 1): Point => ({ id: String(x), name: "", color: "", x, y });
    const numbers = placeOnAxis([point(3), point(1), point(NaN), point(Infinity), point(2)]);
    assert.deepEqual([numbers.kind, numbers.at, numbers.points.map(({ id }) => id)], ["number", [1, 2, 3], ["1", "2", "3"]]);
    const dates = placeOnAxis([point("2026-11-30"), point("2026-01-01T12:00:00Z")]);
    assert.equal(dates.kind, "time");
    assert.deepEqual(dates.points.map(({ x }) => x), ["2026-01-01T12:00:00Z", "2026-11-30"]);
    const names = placeOnAxis([point("tree10"), point("tree2"), point("tree10"), point(4)]);
    assert.deepEqual([names.kind, names.categories, names.at], ["category", ["4", "tree2", "tree10"], [0, 1, 2, 2]]);
    // A day that no calendar has is a name, not a hole.
    assert.equal(placeOnAxis([point("2026-13-45")]).kind, "category");
    assert.deepEqual(placeOnAxis([]), { kind: "number", points: [], at: [] });
});

test("what a run has under a name", () => {
    const one = run("a", { auc: 0.5, odd: "NaN" }, { depth: "3", name: "x", none: "", "a.b": "1e3" });
    assert.equal(valueOf(one, "metrics.auc"), 0.5);
    assert.ok(Number.isNaN(valueOf(one, "metrics.odd")));
    assert.equal(valueOf(one, "metrics.gone"), undefined);
    assert.deepEqual(["depth", "name", "none", "a.b", "gone"].map((key) => valueOf(one, `params.${key}`)), [3, "x", "", 1000, undefined]);
});

test("rungs say who reached them, who stayed there and the best of those", () => {
    const trial = (number: number, more: Partial<Trial>): Trial => ({ number, state: "succeeded", parameters: [], ...more }) as unknown as Trial;
    const trials = [
        trial(1, { objective: 0.9, step: 9 }), trial(2, { state: "stoppedEarly", rung: 3, step: 3, objective: 0.4 }),
        trial(3, { state: "stoppedEarly", rung: 3, step: 3, objective: 0.5 }), trial(4, { state: "stoppedEarly", rung: 6, step: 6, objective: 0.7 }), trial(5, { state: "failed" }),
    ];
    assert.deepEqual(rungsOf(trials, true), [{ step: 3, reached: 4, stopped: 2, best: 0.5 }, { step: 6, reached: 2, stopped: 1, best: 0.7 }]);
    assert.equal(bestOf(trials, false), 0.4);
    assert.equal(bestOf([], true), undefined);
    assert.deepEqual(rungsOf([], true), []);
});

const traffic = (points: Partial<Series["points"][number]>[]): Traffic => ({
    from: 1000, to: 1060, intervalSeconds: 5, unrouted: [],
    series: [{ revision: "r", number: 1, points: points.map((point) => ({ at: 1000, requests: 0, errors: 0, refused: 0, turnedAway: 0, ...point })) }],
}) as unknown as Traffic;

test("rates are those of the last half minute; empty intervals count", () => {
    const known = traffic([
        { at: 1000, requests: 900, errors: 900 }, { at: 1030, requests: 30, errors: 3, refused: 10, turnedAway: 20, p99Milliseconds: 7 },
        { at: 1060, requests: 1000 },
    ]);
    const rates = ratesOf(known.series[0], known);
    assert.deepEqual([rates.perSecond, rates.p99], [2, 7]);
    assert.ok(Math.abs((rates.failed ?? 0) - 0.05) < 1e-12 && Math.abs((rates.refused ?? 0) - 0.5) < 1e-12);
    assert.deepEqual(perSecond(known.series[0] as Series, known).slice(0, 8), [180, 0, 0, 0, 0, 0, 12, 0]);
    assert.equal(intervals(known).length, 12);
    const none = ratesOf(undefined, known);
    assert.deepEqual([none.perSecond, none.failed, none.p50], [0, undefined, undefined]);
    assert.deepEqual(intervals({ ...known, to: known.from - 1 }), []);
    assert.equal(askedOf({ requests: 1, refused: 2, turnedAway: 3 } as Series["points"][number]), 6);
});

test("rates, times and shares as they are read", () => {
    assert.deepEqual([0, 0.04, 9.96, 1234.5].map(rateText), ["0", "0.0", "10.0", "1,235"]);
    assert.deepEqual([undefined, null, 0, 0.12345, 1e9].map(millisecondsText), ["–", "–", "0 ms", "0.123 ms", "1000000000 ms"]);
    assert.deepEqual([undefined, 0, 0.0005, 0.12345, 1].map(shareText), ["–", "0%", "<0.1%", "12.3%", "100%"]);
});

test("runs keep their colours, and no two of twenty are alike", () => {
    const ids = Array.from({ length: 20 }, (_, index) => `run-${index}`);
    const first = colorsOf(ids);
    assert.equal(new Set(first.values()).size, 20);
    assert.deepEqual(colorsOf([...ids].reverse().slice(3)).get("run-5"), first.get("run-5"));
    // More than there are colours: all have one.
    const many = colorsOf(Array.from({ length: 500 }, (_, index) => `many-${index}`));
    assert.equal(many.size, 500);
    assert.equal(colorsOf([]).size, 0);
});

test("failures that differ only in numbers are alike", () => {
    type Job = Schemas["JobView"];
    const job = (lastLine?: string, message = "exit 1"): Job => ({ failure: { code: "failed", message, lastLine } }) as unknown as Job;
    assert.equal(kindOfFailure(job("KeyError at 0x7f3a: row 17")), kindOfFailure(job("KeyError at 0xdead: row 99")));
    assert.notEqual(kindOfFailure(job("KeyError")), kindOfFailure(job("ValueError")));
    assert.equal(reasonOf(job()), "exit 1");
    assert.equal(reasonOf({} as Job), "");
});

test("places in a queue are said as people say them", () => {
    const cases: [number, string][] = [[1, "1st"], [2, "2nd"], [3, "3rd"], [4, "4th"], [11, "11th"], [12, "12th"], [13, "13th"], [21, "21st"], [101, "101st"], [111, "111th"]];
    for (const [number, text] of cases) assert.equal(ordinal(number), text);
});

test("a field takes what its type holds, digit by digit", () => {
    const right: [string, string, string][] = [
        ["9223372036854775807", "INT64", "9223372036854775807"], ["-9223372036854775808", "INT64", "-9223372036854775808"],
        ["18446744073709551615", "UINT64", "18446744073709551615"], [" +7 ", "INT8", "7"], ["-0", "INT8", "0"], ["TRUE", "BOOL", "true"], ["0", "BOOL", "false"],
        ["1e-3", "FP32", "0.001"], [".5", "FP64", "0.5"], ["null", "FP32", "null"], ["65504", "FP16", "65504"], ["it's \"it\"", "BYTES", "\"it's \\\"it\\\"\""], ["", "BYTES", "\"\""],
        ["1.7976931348623157e308", "FP64", "1.7976931348623157e+308"],
    ];
    for (const [typed, type, json] of right) assert.deepEqual(checked(typed, type), { json }, `${typed} as ${type}`);
    const wrong: [string, string][] = [
        ["128", "INT8"], ["-1", "UINT8"], ["1.5", "INT32"], ["", "INT32"], ["1e3", "INT64"], ["9223372036854775808", "INT64"], ["yes", "BOOL"], ["", "BOOL"],
        ["1e309", "FP64"], ["65505", "FP16"], ["4e38", "FP32"], ["NaN", "FP32"], ["Infinity", "FP64"], ["", "FP32"], ["1,5", "FP32"], ["0x10", "INT32"], ["١", "INT32"],
    ];
    for (const [typed, type] of wrong) {
        const { json, fault } = checked(typed, type);
        assert.ok(json === undefined && fault !== undefined, `${typed} as ${type}`);
    }
});

test("a model's inputs become fields, and fields a request", () => {
    type Manifest = Parameters<typeof signatureOf>[0];
    const table = signatureOf({
        inputs: [{ name: "input", datatype: "INT64", shape: [-1, 2] }], columns: ["day", "hour"],
        example: { inputs: [{ name: "input", datatype: "INT64", shape: [1, 2], data: [[3, 4]] }] },
    } as unknown as Manifest);
    assert.deepEqual([table.fields.map(({ name }) => name), table.values], [["day", "hour"], ["3", "4"]]);
    // Beyond 2^53, as it was typed.
    const body = table.body(["9007199254740993", "1"]);
    assert.ok(body.includes("[9007199254740993, 1]"), body);
    assert.deepEqual(JSON.parse(body).inputs[0].shape, [1, 2]);
    assert.deepEqual(faultsOf(table, ["1"]).map((fault) => fault === undefined), [true, false]);
    const columns = signatureOf({
        inputs: [{ name: "a", datatype: "FP32", shape: [-1, 1] }, { name: "b", datatype: "BYTES", shape: [-1, 1] }],
    } as unknown as Manifest);
    assert.deepEqual(columns.values, ["0", ""]);
    assert.deepEqual(JSON.parse(columns.body(["1.5", "x"])).inputs.map(({ data }: { data: unknown }) => data), [[1.5], ["x"]]);
    const picture = signatureOf({ inputs: [{ name: "image", datatype: "FP32", shape: [-1, 3, 224, 224] }] } as unknown as Manifest);
    assert.deepEqual(picture.fields, []);
    assert.deepEqual(JSON.parse(picture.body([])), { inputs: [] });
});

test("JSON is indented without reading its numbers", () => {
    assert.equal(indented("{\"a\":1e400,\"b\":[1,2,3],\"c\":{}}"), "{\n  \"a\": 1e400,\n  \"b\": [1, 2, 3],\n  \"c\": {}\n}");
    assert.equal(indented("12345678901234567890"), "12345678901234567890");
    assert.equal(indented("not json"), null);
    assert.equal(indented(""), null);
    assert.equal(indented("{\"a{]\\\"\":\"}\"}"), "{\n  \"a{]\\\"\": \"}\"\n}");
    const long = indented(`[${Array.from({ length: 100 }, (_, index) => index).join(",")}]`) ?? "";
    assert.ok(long.split("\n").every((line) => line.length < 70) && long.split("\n").length < 12);
    assert.deepEqual(JSON.parse(long).length, 100);
});

test("a refusal is read in each of its forms", () => {
    assert.deepEqual(refusal("{\"error\":\"no\"}"), { message: "no" });
    assert.deepEqual(refusal("{\"error\":{\"code\":\"c\",\"message\":\"m\"}}"), { message: "m", code: "c" });
    assert.deepEqual(refusal("{\"error_code\":\"c\",\"message\":\"m\"}"), { message: "m", code: "c" });
    for (const other of [undefined, "", "null", "[]", "1", "{}", "{\"error\":1}", "<html>"]) assert.equal(refusal(other), null, String(other));
});
