/** What a page was like when it was left: coming back to it shows it so. */
import { useCallback, useRef, useState } from "react";

const kept = new Map<string, unknown>();
/** Entries of the history that are remembered. */
const MOST = 400;
let made = 0;

interface Entry {
    key?: string;
    /** Where the window was scrolled to, for when the page is loaded anew. */
    top?: number;
}

/** For a new entry of the window's history. */
export function newHistoryEntry(): Entry {
    made += 1;
    return { key: `${Date.now().toString(36)}-${made}` };
}

/** Names where we are in the window's history: the same address may be in it twice. */
export function historyKey(): string {
    return (window.history.state as Entry | null)?.key ?? "first";
}

export function saveState(key: string, name: string, value: unknown): void {
    const at = `${key}/${name}`;
    kept.delete(at);
    kept.set(at, value);
    const oldest = kept.keys().next().value;
    if (kept.size > MOST && oldest !== undefined) kept.delete(oldest);
}

export function loadState<T>(key: string, name: string): T | undefined {
    return kept.get(`${key}/${name}`) as T | undefined;
}

/** A state of a page that is there again on coming back. */
export function useHistoryState<T>(name: string, initial: T): [T, (value: T) => void] {
    const key = useRef(historyKey());
    const [value, setValue] = useState<T>(() => loadState<T>(key.current, name) ?? initial);
    const set = useCallback((next: T) => {
        saveState(key.current, name, next);
        setValue(next);
    }, [name]);
    return [value, set];
}

const WINDOW = "window";
/** Milliseconds in which a page that comes back may still grow. */
const PATIENCE = 3000;
let restoring = false;

/** Keeps where the window was scrolled to, and returns there on going back. */
export function restoreScroll(): void {
    window.history.scrollRestoration = "manual";
    let resting: number | undefined;
    window.addEventListener("scroll", () => {
        if (restoring) return;
        const key = historyKey();
        saveState(key, WINDOW, window.scrollY);
        window.clearTimeout(resting);
        resting = window.setTimeout(() => {
            if (historyKey() !== key) return;
            window.history.replaceState({ ...(window.history.state as Entry | null), top: window.scrollY }, "");
        }, 200);
    }, { passive: true });
    const { top = 0 } = (window.history.state as Entry | null) ?? {};
    if (top > 0) restore(top);
    window.addEventListener("popstate", () => restore(loadState<number>(historyKey(), WINDOW) ?? 0));
}

function restore(top: number): void {
    const until = Date.now() + PATIENCE;
    restoring = true;
    const stop = () => {
        restoring = false;
    };
    for (const kind of ["wheel", "pointerdown", "keydown"]) window.addEventListener(kind, stop, { once: true, passive: true });
    const look = () => {
        if (!restoring) return;
        if (Math.abs(window.scrollY - top) > 1) window.scrollTo(0, top);
        if (Math.abs(window.scrollY - top) <= 1 || Date.now() > until) return stop();
        window.requestAnimationFrame(look);
    };
    window.requestAnimationFrame(look);
}
