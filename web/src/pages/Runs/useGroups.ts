import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { numeric } from "../../api/client";
import { groupRuns, searchGroup, type Run, type RunSearch } from "../../api/mlflow";
import { feed } from "../../core/events";
import { useQuery } from "../../core/query";
import { rowOf, type GroupRow, type MoreRow, type Row } from "./rows";

const FIRST = 100;
const MORE = 500;
/** Metrics whose mean is asked for: each costs the server one look-up a run. */
const MOST_MEANS = 12;

interface Members {
    runs: Run[];
    token: string | undefined;
    isLoading: boolean;
    error: Error | null;
}

export interface Groups {
    rows: Row[];
    isLoading: boolean;
    error: Error | null;
    /** More groups than are shown. */
    hasMore: boolean;
    toggle: (id: string) => void;
    loadMore: (id: string) => void;
    reload: () => void;
}

/** All runs that match in groups that the server makes; the runs of a group are loaded when it is opened. */
export function useGroups(
    search: Pick<RunSearch, "experiments" | "filter" | "order" | "deleted">, group: string, metrics: string[],
): Groups {
    const key = group === "" ? null : `groups/${search.experiments.join()}/${group}/${search.deleted ? "deleted" : ""}/${search.filter}`;
    const live = { invalidateOn: ["run", "job"], throttle: 5000 };
    const heads = useQuery(key, () => groupRuns(search, group, []), live);
    const measured = metrics.slice(0, MOST_MEANS);
    // Means take longer than counts; the headings do not wait for them.
    const means = useQuery(
        heads.data === undefined || measured.length === 0 ? null : `${key}/${measured.join()}`,
        () => groupRuns(search, group, measured), { invalidateOn: ["run", "job"], throttle: 15_000 });

    const [open, setOpen] = useState<Map<string, Members>>(new Map());
    const place = `${key}\n${search.order.join()}`;
    const at = useRef(place);
    const known = useRef(open);
    known.current = open;
    useEffect(() => {
        at.current = place;
        setOpen(new Map());
    }, [place]);

    const load = useCallback(async (id: string, how: "first" | "more" | "refresh") => {
        const before = known.current.get(id);
        if (before?.isLoading) return;
        const asked = at.current;
        const change = (members: Members) => setOpen((all) => (at.current === asked ? new Map(all).set(id, members) : all));
        const held = before?.runs ?? [];
        if (how !== "refresh") change({ runs: held, token: before?.token, isLoading: true, error: null });
        try {
            const reply = await searchGroup({
                ...search, limit: how === "more" ? MORE : Math.max(FIRST, how === "refresh" ? Math.min(1000, held.length) : 0),
                pageToken: how === "more" ? before?.token : undefined,
            }, group, valueOf(id));
            const found = reply.runs ?? [];
            change({
                runs: how === "more" ? [...held, ...found] : found, token: reply.next_page_token || undefined,
                isLoading: false, error: null,
            });
        } catch (error) {
            change({ runs: held, token: before?.token, isLoading: false, error: error as Error });
        }
        // eslint-disable-next-line -- `place` stands for the search
    }, [place]);

    const toggle = useCallback((id: string) => {
        if (known.current.has(id)) {
            setOpen((all) => {
                const next = new Map(all);
                next.delete(id);
                return next;
            });
        } else void load(id, "first");
    }, [load]);
    const loadMore = useCallback((id: string) => void load(id, "more"), [load]);
    useEffect(() => {
        let soon: number | undefined;
        const stop = feed.subscribe(({ entity }) => {
            if (entity !== "run" && entity !== "job") return;
            window.clearTimeout(soon);
            soon = window.setTimeout(() => {
                for (const [id, { runs }] of known.current) if (runs.length <= 1000) void load(id, "refresh");
            }, 600);
        });
        return () => {
            stop();
            window.clearTimeout(soon);
        };
    }, [load]);

    const rows = useMemo((): Row[] => {
        const known = new Map((means.data?.groups ?? []).map((each) => [each.value, each.means ?? []]));
        return (heads.data?.groups ?? []).flatMap((each): Row[] => {
            const id = idOf(each.value);
            const members = open.get(id);
            const head: GroupRow = {
                kind: "group", id, label: each.value ?? "none", count: each.count, isOpen: members !== undefined,
                means: new Map((known.get(each.value) ?? []).map((mean) => [mean.key, numeric(mean.value)])),
            };
            if (members === undefined) return [head];
            const rest: MoreRow = {
                kind: "more", id: `more ${id}`, group: id, left: each.count - members.runs.length,
                isLoading: members.isLoading, error: members.error,
            };
            const needsRest = members.isLoading || members.error !== null || members.token !== undefined;
            return [head, ...members.runs.map((run) => rowOf(run, false)), ...(needsRest ? [rest] : [])];
        });
    }, [heads.data, means.data, open]);

    return {
        rows, isLoading: heads.isLoading, error: heads.error, hasMore: heads.data?.has_more ?? false, toggle, loadMore,
        reload: useCallback(() => {
            void heads.reload();
            for (const id of known.current.keys()) void load(id, "refresh");
            // eslint-disable-next-line -- `heads` is new each time, its reload is not
        }, [heads.reload, load]),
    };
}

/** A group is known by its value; runs without one are a group as well. */
function idOf(value: string | undefined): string {
    return value === undefined ? "none" : `is ${value}`;
}

function valueOf(id: string): string | undefined {
    return id === "none" ? undefined : id.slice(3);
}
