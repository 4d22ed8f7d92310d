import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { withBase } from "../src/api/base";
import { artifactAddress, quote, quoteKey } from "../src/api/mlflow";
import { newHistoryEntry, loadState, saveState } from "../src/core/historyState";
import { fromMLflow } from "../src/core/mlflowRedirects";
import { encodeItem, path, decodeItem } from "../src/core/router";

test("MLflow's addresses lead to our pages", () => {
    const cases: [string, string | null][] = [
        ["#/experiments/7", "/experiments/7"],
        ["#/experiments/7/runs/ab12", "/runs/ab12"],
        ["#/experiments/7/runs/ab12/model-metrics", "/runs/ab12?tab=curves"],
        ["#/experiments/7/runs/ab12/artifacts", "/runs/ab12?tab=artifacts"],
        ["#/experiments/7/runs/ab12/artifacts/a%20b/c.txt", "/runs/ab12?tab=artifacts&file=a%20b%2Fc.txt"],
        ["#/experiments/7?searchFilter=metrics.a%20%3E%201", "/experiments/7?filter=metrics.a%20%3E%201"],
        ["#/compare-runs?runs=[\"a\",\"b\"]&experiments=[\"7\"]", "/compare?runs=a,b"],
        ["#/metric?runs=[\"a\"]&metric=loss%2Fval", "/compare?runs=a&metrics=loss%2Fval"],
        ["#/metric?runs=[\"a\"]&plot_metric_keys=[\"x\",\"y\"]", "/compare?runs=a&metrics=x"],
        ["#/compare-experiments/s?experiments=[\"3\",\"4\"]", "/experiments/3"],
        ["#/compare-experiments/s", "/experiments"],
        ["#/models/m/versions/3/inputs", "/models/m/versions/3"],
        ["#/models/m/page-history", "/models/m/page-history"],
        ["#/compare-model-versions?name=\"m n\"&runs={}", "/models/m%20n"],
        ["#/prompts", "/models"], ["#/prompts/p", "/models/p"],
        // We have it under the same name, or know nothing of it: the page says so.
        ["#/nowhere/else?x=1", "/nowhere/else?x=1"],
    ];
    for (const [hash, ours] of cases) assert.equal(fromMLflow("/", "", hash), ours, hash);
});

test("what is broken in such an address does no harm", () => {
    assert.equal(fromMLflow("/", "", "#/compare-runs?runs=[\"a\""), "/compare?runs=");
    assert.equal(fromMLflow("/", "", "#/compare-runs?runs={\"a\":1}"), "/compare?runs=");
    assert.equal(fromMLflow("/", "", "#/compare-runs?runs=[1,null,\"a\"]"), "/compare?runs=a");
    assert.equal(fromMLflow("/", "", "#/experiments/7/runs/ab12/artifacts/%E0%A4%A"), "/runs/ab12?tab=artifacts&file=%25E0%25A4%25A");
    assert.equal(fromMLflow("/", "", "#/"), "/");
    // Our own addresses stay.
    for (const own of ["/", "/experiments/7", "/models/m", "/models/m/versions/3"]) assert.equal(fromMLflow(own, "", ""), null, own);
});

test("a list in the address keeps commas and percent signs of its items", () => {
    for (const item of ["plain", "a,b", "100%", "%2C", "a%25,b", "%", ",", "läuft 🚀"]) {
        assert.equal(decodeItem(encodeItem(item)), item, item);
        assert.ok(!encodeItem(item).includes(","), item);
    }
});

test("paths hold any name", () => {
    assert.equal(path("models", "a/b?c#d e", "versions", "1"), "/models/a%2Fb%3Fc%23d%20e/versions/1");
    // Below a proxy's path only what is ours from the root.
    assert.equal(withBase("/runs/1"), "/team/aloft/runs/1");
    assert.equal(withBase("data:,x"), "data:,x");
    assert.match(artifactAddress("ab", "a b/c&d.txt"), /a%20b%2Fc%26d\.txt|a\+b%2Fc%26d\.txt/);
});

test("names in a filter are quoted", () => {
    assert.equal(quote("it's"), "\"it's\"");
    assert.equal(quote("plain"), "'plain'");
    assert.equal(quoteKey("val_auc"), "val_auc");
    assert.notEqual(quoteKey("val auc"), "val auc");
});

test("what a page was like is kept by its place in the history, the newest ones", () => {
    saveState("a", "open", 1);
    saveState("b", "open", 2);
    assert.equal(loadState("a", "open"), 1);
    assert.equal(loadState("b", "open"), 2);
    assert.equal(loadState("c", "open"), undefined);
    for (let number = 0; number < 400; number += 1) {
        saveState("a", "open", number);
        saveState(`k${number}`, "scroll", number);
    }
    // `b` was not used for 400 entries; `a` always was.
    assert.equal(loadState("b", "open"), undefined);
    assert.equal(loadState("a", "open"), 399);
    assert.notEqual(newHistoryEntry().key, newHistoryEntry().key);
});
