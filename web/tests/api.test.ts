import "./browser";
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { ApiError, call, numeric, onTokenNeeded, send, sendJSON, withQuery } from "../src/api/client";
import { getRuns, readArtifact } from "../src/api/mlflow";

const real = globalThis.fetch;
afterEach(() => {
    globalThis.fetch = real;
});

/** Answers in place of a server; what was asked is kept. */
function answering(answer: (url: string, options: RequestInit) => Response | Promise<Response>): { url: string; options: RequestInit }[] {
    const asked: { url: string; options: RequestInit }[] = [];
    globalThis.fetch = async (input, options = {}) => {
        asked.push({ url: String(input), options });
        return answer(String(input), options);
    };
    return asked;
}

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

test("a question's values: lists more than once, what is missing not at all", () => {
    assert.equal(withQuery("/x"), "/x");
    assert.equal(withQuery("/x", { a: undefined }), "/x");
    assert.equal(withQuery("/x", { a: "b c&d", n: 0, no: false, list: ["1", "2"], none: [] }), "/x?a=b+c%26d&n=0&no=false&list=1&list=2");
});

test("numbers of the protocols, NaN and infinities too", () => {
    assert.equal(numeric(1.5), 1.5);
    assert.equal(numeric("Infinity"), Infinity);
    assert.equal(numeric("-Infinity"), -Infinity);
    assert.ok(Number.isNaN(numeric("NaN")));
    assert.equal(numeric("1e308"), 1e308);
});

test("an endpoint is called by its name, below the proxy's path, with names escaped", async () => {
    const asked = answering(() => json({ samples: [] }));
    await call("GetJobUsage", { path: { job: "a/b?c" } });
    assert.equal(asked[0]?.url, "/team/aloft/api/v1/jobs/a%2Fb%3Fc/usage");
    assert.equal(asked[0]?.options.method, "GET");
    assert.equal(asked[0]?.options.body, undefined);
});

test("what a server refuses has its code, whichever protocol it speaks", async () => {
    const cases: [Response, number, string, string][] = [
        [json({ error: { code: "job_not_found", message: "no such job" } }, 404), 404, "job_not_found", "no such job"],
        [json({ error_code: "INVALID_PARAMETER_VALUE", message: "bad filter" }, 400), 400, "INVALID_PARAMETER_VALUE", "bad filter"],
        [new Response("<html>", { status: 502, statusText: "Bad Gateway" }), 502, "http_502", "Bad Gateway"],
        [json({}, 500), 500, "http_500", ""],
        [new Response("", { status: 413 }), 413, "http_413", ""],
    ];
    for (const [response, status, code, message] of cases) {
        answering(() => response);
        await assert.rejects(sendJSON("GET", "/x"), { status, code, message });
    }
});

test("a server that does not answer is told from a question taken back", async () => {
    answering(() => {
        throw new TypeError("fetch failed");
    });
    await assert.rejects(send("/x"), { status: 0, code: "unreachable" });
    answering(() => {
        throw new DOMException("stopped", "AbortError");
    });
    await assert.rejects(send("/x"), { name: "AbortError" });
});

test("a token is asked for once the server wants one", async () => {
    let times = 0;
    const stop = onTokenNeeded(() => {
        times += 1;
    });
    answering(() => json({ error: { code: "unauthenticated", message: "a token, please" } }, 401));
    await assert.rejects(send("/x"), { code: "unauthenticated" });
    stop();
    await assert.rejects(send("/x"), ApiError);
    assert.equal(times, 1);
});

test("runs are asked for once an experiment, and come in the order of their ids", async () => {
    const experiments = new Map([["a", "1"], ["b", "1"], ["c", "2"], ["d", "1"]]);
    const run = (id: string) => ({ info: { run_id: id, experiment_id: experiments.get(id) }, data: {} });
    const asked = answering((url, options) => {
        if (url.includes("runs/get")) {
            const id = new URL(url, "http://x").searchParams.get("run_id") ?? "";
            return experiments.has(id) ? json({ run: run(id) }) : json({ error_code: "RESOURCE_DOES_NOT_EXIST" }, 404);
        }
        const { experiment_ids: [place], filter } = JSON.parse(String(options.body)) as { experiment_ids: string[]; filter: string };
        const ids = [...filter.matchAll(/'(\w+)'/g)].map(([, id = ""]) => id);
        return json({ runs: ids.filter((id) => experiments.get(id) === place).map(run) });
    });
    const found = await getRuns(["d", "gone", "a", "c", "b", "a"]);
    assert.deepEqual(found.map((each) => each?.info.run_id ?? null), ["d", null, "a", "c", "b", "a"]);
    // Two experiments and one that is gone: five questions, not one a run.
    assert.ok(asked.length <= 5, String(asked.length));
    assert.deepEqual(await getRuns([]), []);
});

test("an artifact is read up to a limit, and says whether there is more", async () => {
    const sizes: [number, number, boolean][] = [[0, 0, false], [99, 99, false], [100, 100, false], [101, 100, true], [5000, 100, true]];
    for (const [size, read, isCut] of sizes) {
        answering(() => new Response(new Uint8Array(size)));
        const part = await readArtifact("r", "file", 100);
        assert.deepEqual([part.blob.size, part.isCut], [read, isCut], `${size} bytes`);
    }
});
