import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Run } from "../src/api/mlflow";
import { asked, fromField, isNarrowed, isPredictionID, toField, type Filters } from "../src/pages/Predictions/filters";
import { suggestionsFor, type KnownKeys } from "../src/pages/Runs/FilterInput";
import { asFilter } from "../src/pages/Runs/filters";
import { keysOf, nested, rowOf, usualColumns, withAll } from "../src/pages/Runs/rows";

test("plain words find runs by name; a filter stays as it is", () => {
    assert.equal(asFilter(""), "");
    assert.equal(asFilter("  "), "  ");
    assert.equal(asFilter("blue Whale"), "attributes.run_name ILIKE '%blue%' AND attributes.run_name ILIKE '%Whale%'");
    assert.equal(asFilter("it's"), "attributes.run_name ILIKE \"%it's%\"");
    for (const filter of ["metrics.auc > 0.8", "params.a = 'b'", "tags.x LIKE '%a%'", "tags.`a b` IS NULL", "attributes.run_id IN ('a')", "params.x not in ('a')"]) {
        assert.equal(asFilter(filter), filter);
    }
    // A dot alone makes no filter: names have dots.
    assert.match(asFilter("model.v2"), /ILIKE/);
});

const keys: KnownKeys = { metrics: ["val_auc", "odd key"], params: ["booster"], tags: ["team"], values: new Map([["params.booster", new Set(["dart", "gbtree"])]]) };
const texts = (typed: string) => suggestionsFor(typed, keys).map(({ text }) => text);

test("what is typed is completed: a name, an operator, a value, AND", () => {
    assert.deepEqual(texts("val"), ["metrics.val_auc "]);
    assert.deepEqual(texts("odd"), ["metrics.`odd key` "]);
    assert.deepEqual(texts("metrics.val_auc >"), ["metrics.val_auc >= "]);
    assert.deepEqual(texts("params.booster "), ["=", "!=", "LIKE", "ILIKE"].map((operator) => `params.booster ${operator} '`));
    assert.deepEqual(texts("params.booster = 'd"), ["params.booster = 'dart' "]);
    assert.deepEqual(texts("attributes.status = 'fin"), ["attributes.status = 'FINISHED' "]);
    assert.deepEqual(texts("params.booster = 'dart'"), ["params.booster = 'dart' AND "]);
    assert.deepEqual(texts("params.booster = 'dart' AND val"), ["params.booster = 'dart' AND metrics.val_auc "]);
    assert.deepEqual(texts("metrics.val_auc > 0.7 "), ["metrics.val_auc > 0.7 AND "]);
    assert.deepEqual(texts("nothing like it"), []);
    // Long and odd texts are no trouble.
    assert.ok(texts("(((").length <= 12);
    assert.ok(texts(`metrics.${"x".repeat(20_000)} > `).every((text) => text.endsWith(">= ")));
});

const run = (id: string, tags: Record<string, string> = {}, more: Partial<Run["data"]> = {}): Run => ({
    info: { run_id: id, experiment_id: "1", status: "FINISHED" },
    data: { tags: Object.entries(tags).map(([key, value]) => ({ key, value })), ...more },
}) as unknown as Run;

test("runs stand below their parents, each once, whatever they claim", () => {
    const child = (id: string, parent: string) => rowOf(run(id, { "mlflow.parentRunId": parent }), false);
    const rows = [child("c", "b"), child("b", "a"), rowOf(run("a"), false), child("lone", "elsewhere"), child("self", "self"), child("x", "y"), child("y", "x")];
    const sorted = nested(rows);
    assert.deepEqual(sorted.slice(0, 3).map(({ id, depth }) => [id, depth]), [["a", 0], ["b", 1], ["c", 2]]);
    assert.deepEqual([...sorted.map(({ id }) => id)].sort(), ["a", "b", "c", "lone", "self", "x", "y"]);
    // A long chain is no deeper than is shown.
    const chain = nested(Array.from({ length: 500 }, (_, index) => child(`n${index}`, `n${index - 1}`)));
    assert.equal(chain.length, 500);
    assert.ok(chain.every(({ depth }) => depth <= 6));
});

test("keys of the table: the machine's own apart, values that can be completed", () => {
    const rows = [rowOf(run("a", { team: "ground" }, {
        metrics: [{ key: "auc", value: 0.5, step: 0, timestamp: 0 }, { key: "system/cpu", value: 1, step: 0, timestamp: 0 }],
        params: [{ key: "b", value: "it's" }, { key: "a b", value: "x" }],
    }), false)];
    const known = keysOf(rows);
    assert.deepEqual([known.metrics, known.params, known.tags], [["auc"], ["a b", "b"], ["team"]]);
    assert.deepEqual([...known.values.get("params.`a b`") ?? []], ["x"]);
    // A quote cannot be written within quotes.
    assert.equal(known.values.get("params.b")?.size, 0);
    assert.deepEqual(usualColumns(known), ["start", "duration", "metrics.auc", "params.a b", "params.b"]);
    const all = withAll(known, { metrics: ["system/gpu", "loss"], params: [], tags: [] } as never);
    assert.deepEqual(all.metrics, ["auc", "loss", "system/gpu"]);
    assert.equal(withAll(known, undefined), known);
});

const none: Filters = { id: "", deployment: "", environment: "", revision: "", errors: "", slower: "", time: "", since: "", until: "", before: "" };

test("predictions are asked for by what was chosen", () => {
    const only = (filters: Partial<Filters>) => Object.fromEntries(Object.entries(asked({ ...none, ...filters }, 50)).filter(([, value]) => value !== undefined));
    assert.deepEqual(only({}), { limit: 50 });
    assert.deepEqual(only({ id: "ab", deployment: "d" }), { id: "ab" });
    // Without a deployment its environment and revision say nothing.
    assert.deepEqual(only({ environment: "production", revision: "r" }), { limit: 50 });
    assert.deepEqual(only({ deployment: "d", environment: "e", errors: "true", slower: "5" }), { deployment: "d", environment: "e", errors: true, slower: "5", limit: 50 });
    assert.deepEqual(only({ errors: "no", since: "2026-01-01T00:00:00Z" }), { limit: 50 });
    assert.deepEqual(only({ time: "between", since: "s", until: "u" }), { since: "s", until: "u", limit: 50 });
    const { since } = asked({ ...none, time: "1h" }, 50);
    assert.ok(Math.abs(Date.now() - 3_600_000 - Date.parse(String(since))) < 60_000);
    assert.ok(!isNarrowed(none) && !isNarrowed({ ...none, before: "x" }) && isNarrowed({ ...none, slower: "1" }));
    assert.ok(isPredictionID("0123456789abcdef0123456789ab") && !isPredictionID("0123456789ABCDEF0123456789AB") && !isPredictionID(""));
});

test("a field for dates is in the reader's zone and goes back to the same minute", () => {
    assert.equal(toField("2026-07-01T12:30:45.678Z"), "2026-07-01T14:30");
    assert.equal(fromField("2026-07-01T14:30"), "2026-07-01T12:30:00.000Z");
    assert.equal(toField(""), "");
    assert.equal(toField("nonsense"), "");
    assert.equal(fromField(""), "");
    assert.equal(fromField("2026-99-99T00:00"), "");
});
