import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { feed } from "./events";

/** What is known of one question to the server. Old data stays while it is asked again. */
interface Entry {
    data: unknown;
    error: Error | null;
    isLoading: boolean;
    loadedAt: number;
    listeners: Set<() => void>;
    asking: Promise<void> | null;
    /** Asked for again while an answer was on its way. */
    askAgain: boolean;
}

const entries = new Map<string, Entry>();
/** Entries nobody looks at are kept up to this number, so that going back is instant. */
const KEPT = 150;

function entryOf(key: string): Entry {
    let entry = entries.get(key);
    if (entry === undefined) {
        entry = {
            data: undefined, error: null, isLoading: false, loadedAt: 0, listeners: new Set(),
            asking: null, askAgain: false,
        };
        entries.set(key, entry);
        for (const [old, { listeners }] of entries) {
            if (entries.size <= KEPT) break;
            if (listeners.size === 0 && old !== key) entries.delete(old);
        }
    }
    return entry;
}

function change(key: string, entry: Entry, values: Partial<Entry>): void {
    const next = { ...entry, ...values };
    entries.set(key, next);
    for (const listener of next.listeners) listener();
}

async function ask(key: string, fetcher: () => Promise<unknown>): Promise<void> {
    const entry = entryOf(key);
    if (entry.asking !== null) {
        entry.askAgain = true;
        return entry.asking;
    }
    const asking = (async () => {
        // Next tick, so that the entry that is stored knows of this promise.
        await Promise.resolve();
        try {
            const data = await fetcher();
            change(key, entryOf(key), { data, error: null, loadedAt: Date.now() });
        } catch (error) {
            change(key, entryOf(key), { error: error as Error, loadedAt: Date.now() });
        }
        const after = entryOf(key);
        const again = after.askAgain;
        change(key, after, { isLoading: false, asking: null, askAgain: false });
        if (again) await ask(key, fetcher);
    })();
    change(key, entry, { isLoading: true, asking });
    return asking;
}

export interface QueryOptions<T = unknown> {
    /** Ask again after so many milliseconds while the page is seen: for what nobody tells of. */
    refetchInterval?: number | undefined | ((known: T | undefined) => number | undefined);
    /** Ask again when something of these kinds changes: `job`, `deployment`, … */
    invalidateOn?: string[];
    /** Of runs only these. */
    runs?: string[] | undefined;
    /** Ask at most so often for what changes all the time; milliseconds. */
    throttle?: number;
    /** An answer younger than this is not asked for again on coming back. */
    staleTime?: number;
}

export interface Query<T> {
    data: T | undefined;
    error: Error | null;
    isLoading: boolean;
    reload: () => Promise<void>;
}

/** Whether all of these were answered or refused: what stands below them may be shown. */
export function areSettled(...queries: Query<unknown>[]): boolean {
    return queries.every(({ data, error }) => data !== undefined || error !== null);
}

/** Asks the server and remembers the answer under `key`; `null` asks nothing yet. */
export function useQuery<T>(
    key: string | null, fetcher: () => Promise<T>, options: QueryOptions<T> = {},
): Query<T> {
    const fetcherRef = useRef(fetcher);
    fetcherRef.current = fetcher;
    const run = useCallback(
        () => (key === null ? Promise.resolve() : ask(key, () => fetcherRef.current())), [key]);

    const subscribe = useCallback((listener: () => void) => {
        if (key === null) return () => undefined;
        entryOf(key).listeners.add(listener);
        return () => entries.get(key)?.listeners.delete(listener);
    }, [key]);
    const entry = useSyncExternalStore(subscribe, () => (key === null ? null : entryOf(key)));

    useEffect(() => {
        if (key === null) return;
        const known = entryOf(key);
        const age = Date.now() - known.loadedAt;
        if (known.data === undefined || age > (options.staleTime ?? 500)) void run();
    }, [key, run, options.staleTime]);

    const { refetchInterval } = options;
    const pause = typeof refetchInterval === "function" ? refetchInterval(entry?.data as T | undefined) : refetchInterval;
    useRepeat(run, key === null ? undefined : pause);
    useFeed(key, options, run);

    return {
        data: entry?.data as T | undefined,
        error: entry?.error ?? null,
        isLoading: key !== null && (entry === null || entry.isLoading || entry.loadedAt === 0),
        reload: run,
    };
}

function useRepeat(run: () => Promise<void>, refetchInterval: number | undefined): void {
    useEffect(() => {
        if (refetchInterval === undefined) return;
        const timer = window.setInterval(() => {
            if (document.visibilityState === "visible") void run();
        }, refetchInterval);
        const onVisible = () => {
            if (document.visibilityState === "visible") void run();
        };
        document.addEventListener("visibilitychange", onVisible);
        return () => {
            window.clearInterval(timer);
            document.removeEventListener("visibilitychange", onVisible);
        };
    }, [run, refetchInterval]);
}

/** Runs `run` soon after something of these kinds changed; many changes at once count as one. */
function useFeed(key: string | null, { invalidateOn, runs, throttle = 150 }: Pick<QueryOptions, "invalidateOn" | "runs" | "throttle">, run: () => Promise<void>): void {
    const list = invalidateOn?.join(" ") ?? "";
    const some = useRef<Set<string> | null>(null);
    some.current = useMemo(() => (runs === undefined ? null : new Set(runs)), [runs]);
    useEffect(() => {
        if (key === null) return;
        const wanted = new Set(list.split(" "));
        let timer: number | undefined;
        let last = 0;
        const soon = () => {
            timer ??= window.setTimeout(() => {
                timer = undefined;
                last = Date.now();
                // Nobody looks: asked again when somebody does.
                if (document.visibilityState === "visible") void run();
                else isStale = true;
            }, Math.max(150, last + throttle - Date.now()));
        };
        let isStale = false;
        const onVisible = () => {
            if (document.visibilityState !== "visible" || !isStale) return;
            isStale = false;
            soon();
        };
        const stop = list === "" ? () => undefined : feed.subscribe(({ entity, id }) => {
            if (entity !== undefined && !wanted.has(entity)) return;
            if (entity === "run" && id !== undefined && some.current !== null && !some.current.has(id)) return;
            soon();
        });
        // The server is there again: what failed meanwhile, and what may have changed.
        const stopWatching = feed.onConnectionChange(() => {
            if (feed.connected && (list !== "" || entryOf(key).error !== null)) soon();
        });
        document.addEventListener("visibilitychange", onVisible);
        return () => {
            stop();
            stopWatching();
            document.removeEventListener("visibilitychange", onVisible);
            window.clearTimeout(timer);
        };
    }, [key, list, throttle, run]);
}

/** Forgets answers whose key starts so; those that are shown are asked for again by their pages. */
export function forget(prefix: string): void {
    for (const [key, entry] of entries) {
        if (key.startsWith(prefix) && entry.listeners.size === 0) entries.delete(key);
    }
}

/** Runs a change on the server: knows whether it is under way and what went wrong. */
export function useMutation<Arguments extends unknown[]>(
    action: (...args: Arguments) => Promise<unknown>,
): { run: (...args: Arguments) => Promise<boolean>; busy: boolean; error: Error | null } {
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<Error | null>(null);
    const run = async (...args: Arguments): Promise<boolean> => {
        setBusy(true);
        setError(null);
        try {
            await action(...args);
            return true;
        } catch (failure) {
            setError(failure as Error);
            return false;
        } finally {
            setBusy(false);
        }
    };
    return { run, busy, error };
}
