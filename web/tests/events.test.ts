import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change } from "../src/core/events";

/** The browser's side: connections that were opened, what waits for a time, and whether the window is seen. */
class Source {
    static readonly CLOSED = 2;
    static all: Source[] = [];
    readyState = 1;
    isClosed = false;
    onopen = () => undefined;
    onerror = () => undefined;
    onmessage: (message: { data: string }) => void = () => undefined;
    private readonly named = new Map<string, (message: { data: string }) => void>();

    constructor(readonly url: string) {
        Source.all.push(this);
    }

    addEventListener(name: string, listener: (message: { data: string }) => void): void {
        this.named.set(name, listener);
    }

    tell(name: string, data: unknown): void {
        this.named.get(name)?.({ data: JSON.stringify(data) });
    }

    close(): void {
        this.isClosed = true;
    }

    static get last(): Source {
        const source = Source.all[Source.all.length - 1];
        if (source === undefined) throw new Error("no connection was opened");
        return source;
    }
}

const due = new Map<number, () => void>();
let timers = 0;
let onVisibility = () => undefined;
Object.assign(globalThis, { EventSource: Source });
Object.assign(window, {
    setTimeout: (work: () => void) => {
        timers += 1;
        due.set(timers, work);
        return timers;
    },
    clearTimeout: (timer: number) => due.delete(timer),
});
Object.assign(document, {
    addEventListener: (_: string, listener: () => undefined) => {
        onVisibility = listener;
    },
});
const { feed } = await import("../src/core/events");

function see(state: "visible" | "hidden"): void {
    Object.assign(document, { visibilityState: state });
    onVisibility();
}

function timePasses(): void {
    const works = [...due.values()];
    due.clear();
    for (const work of works) work();
}

test("one connection for all listeners, opened with the first; each change is told to all", () => {
    const heard: Change[][] = [[], []];
    const stops = heard.map((list) => feed.subscribe((change) => list.push(change)));
    assert.equal(Source.all.length, 1);
    assert.equal(Source.last.url, "/team/aloft/api/v1/events/stream");
    Source.last.onmessage({ data: JSON.stringify({ entity: "job", entityID: "j1", sequence: 7 }) });
    // What the log of events leaves out: many at once, or all of a kind.
    Source.last.tell("changed", { entity: "run", ids: ["a", "b"] });
    Source.last.tell("changed", { entity: "experiment" });
    const expected = [{ entity: "job", id: "j1" }, { entity: "run", id: "a" }, { entity: "run", id: "b" }, { entity: "experiment" }];
    assert.deepEqual(heard, [expected, expected]);
    stops[0]?.();
    Source.last.tell("changed", { entity: "tag" });
    assert.deepEqual(heard.map(({ length }) => length), [4, 5]);
    stops[1]?.();
});

test("a window that nobody sees keeps no connection; when it is seen again anything may have changed", () => {
    const heard: Change[] = [];
    const stop = feed.subscribe((change) => heard.push(change));
    const first = Source.last;
    see("hidden");
    // A glance at another window costs nothing.
    see("visible");
    timePasses();
    assert.ok(!first.isClosed);
    see("hidden");
    timePasses();
    assert.ok(first.isClosed);
    assert.equal(Source.last, first);
    see("visible");
    assert.notEqual(Source.last, first);
    assert.deepEqual(heard, []);
    Source.last.onopen();
    assert.deepEqual(heard, [{}]);
    stop();
});

test("a connection that breaks is told once, and opened again where the browser does not", () => {
    const states: boolean[] = [];
    const stop = feed.subscribe(() => undefined);
    const stopWatching = feed.onConnectionChange(() => states.push(feed.connected));
    const broken = Source.last;
    broken.onerror();
    broken.onerror();
    assert.deepEqual(states, [false]);
    // The browser tries again by itself.
    timePasses();
    assert.equal(Source.last, broken);
    broken.onopen();
    assert.deepEqual(states, [false, true]);
    // The server refused: the browser gave up.
    broken.readyState = Source.CLOSED;
    broken.onerror();
    timePasses();
    assert.notEqual(Source.last, broken);
    Source.last.onopen();
    assert.deepEqual(states, [false, true, false, true]);
    stop();
    stopWatching();
});
