import { useCallback, useEffect, useRef, useState } from "react";
import { searchRuns, type Run } from "../../api/mlflow";
import { feed } from "../../core/events";

/** The first answer comes quickly; what follows comes in larger parts, ahead of the reader. */
const PAGE = 200;
const MORE = 800;

export interface RunList {
    runs: Run[];
    error: Error | null;
    isLoading: boolean;
    hasMore: boolean;
    loadMore: () => void;
    reload: () => void;
}

/** Runs of an experiment as the server filters and sorts them, page by page as they are needed. */
export function useRuns(experiment: string, filter: string, order: string[], deleted = false): RunList {
    const [runs, setRuns] = useState<Run[]>([]);
    const [error, setError] = useState<Error | null>(null);
    const [isLoading, setLoading] = useState(true);
    const token = useRef<string | undefined>();
    const asking = useRef<AbortController | null>(null);
    const orderKey = order.join("\n");

    const ask = useCallback(async (how: "first" | "more" | "refresh", shown: number) => {
        if (how === "more" && (asking.current !== null || !token.current)) return;
        if (how === "refresh" && asking.current !== null) return;
        asking.current?.abort();
        const abort = new AbortController();
        asking.current = abort;
        setLoading(true);
        try {
            const reply = await searchRuns({
                experiments: [experiment], filter, deleted, order: orderKey === "" ? [] : orderKey.split("\n"),
                limit: how === "refresh" ? Math.min(1000, Math.max(PAGE, shown)) : how === "more" ? MORE : PAGE,
                pageToken: how === "more" ? token.current : undefined,
            }, abort.signal);
            const found = reply.runs ?? [];
            token.current = reply.next_page_token || undefined;
            setRuns((before) => (how === "more" ? [...before, ...found] : found));
            setError(null);
        } catch (failure) {
            if (abort.signal.aborted) return;
            setError(failure as Error);
        } finally {
            if (asking.current === abort) {
                asking.current = null;
                setLoading(false);
            }
        }
    }, [experiment, filter, orderKey, deleted]);

    useEffect(() => {
        token.current = undefined;
        void ask("first", 0);
        return () => {
            asking.current?.abort();
            asking.current = null;
        };
    }, [ask]);

    const count = runs.length;
    useEffect(() => {
        // Beyond a thousand rows a refresh would move what is read; the person reloads then.
        const refresh = () => {
            if (document.visibilityState === "visible" && count <= 1000) void ask("refresh", count);
        };
        let soon: number | undefined;
        const later = () => {
            soon ??= window.setTimeout(() => {
                soon = undefined;
                refresh();
            }, 400);
        };
        const stop = feed.subscribe(({ entity }) => (entity === "run" || entity === "job") && later());
        const stopWatching = feed.onConnectionChange(() => feed.connected && later());
        document.addEventListener("visibilitychange", later);
        return () => {
            window.clearTimeout(soon);
            stop();
            stopWatching();
            document.removeEventListener("visibilitychange", later);
        };
    }, [ask, count]);

    return {
        runs, error, isLoading, hasMore: token.current !== undefined,
        loadMore: useCallback(() => void ask("more", 0), [ask]),
        reload: useCallback(() => void ask("first", 0), [ask]),
    };
}
