import { numeric } from "../../api/client";
import { quoteKey, type Run, type RunKeys } from "../../api/mlflow";
import { RunDot } from "../../components/runState";
import { RelativeTime, Elapsed } from "../../components/Time";
import type { Column } from "../../components/VirtualTable";
import { count, number } from "../../core/format";
import { Link, path } from "../../core/router";
import type { KnownKeys } from "./FilterInput";

/** A run of the table, with its values by key. */
export interface RunRow {
    kind: "run";
    id: string;
    run: Run;
    metrics: Map<string, number>;
    params: Map<string, string>;
    tags: Map<string, string>;
    isPinned: boolean;
    /** How deep it stands below runs of the table that are its parents. */
    depth: number;
}

/** The heading of runs that share a value. */
export interface GroupRow {
    kind: "group";
    id: string;
    label: string;
    /** Of all its runs, loaded or not. */
    count: number;
    means: Map<string, number>;
    isOpen: boolean;
}

/** Stands for the runs of a group that are not loaded. */
export interface MoreRow {
    kind: "more";
    id: string;
    group: string;
    left: number;
    isLoading: boolean;
    error: Error | null;
}

export type Row = RunRow | GroupRow | MoreRow;

export function rowOf(run: Run, isPinned: boolean): RunRow {
    return {
        kind: "run", id: run.info.run_id, run, isPinned, depth: 0,
        metrics: new Map((run.data.metrics ?? []).map(({ key, value }) => [key, numeric(value)])),
        params: new Map((run.data.params ?? []).map(({ key, value }) => [key, value])),
        tags: new Map((run.data.tags ?? []).map(({ key, value }) => [key, value])),
    };
}

export function parentOf(row: RunRow): string | undefined {
    return row.tags.get("mlflow.parentRunId");
}

/** Children below their parents, as far as those are among the rows; each row once, whatever they claim. */
export function nested(rows: RunRow[]): RunRow[] {
    const known = new Set(rows.map(({ id }) => id));
    const children = new Map<string, RunRow[]>();
    const tops: RunRow[] = [];
    for (const row of rows) {
        const parent = parentOf(row);
        if (parent !== undefined && parent !== row.id && known.has(parent) && !row.isPinned) {
            children.set(parent, [...(children.get(parent) ?? []), row]);
        } else tops.push(row);
    }
    if (children.size === 0) return rows;
    const placed = new Set<string>();
    const result: RunRow[] = [];
    const place = (row: RunRow, depth: number) => {
        if (placed.has(row.id)) return;
        placed.add(row.id);
        result.push(depth === 0 ? row : { ...row, depth });
        for (const child of children.get(row.id) ?? []) place(child, Math.min(depth + 1, 6));
    };
    for (const row of tops) place(row, 0);
    // Runs that are each other's parents hang below nothing.
    for (const row of rows) place(row, 0);
    return result;
}

/** What the table's rows hold and what all runs of the experiment have. */
export function withAll(known: KnownKeys, all: RunKeys | undefined): KnownKeys {
    if (all === undefined) return known;
    const both = (some: string[], more: string[] = []) => [...new Set([...some, ...more])].sort((a, b) =>
        Number(a.startsWith("system/")) - Number(b.startsWith("system/")) || a.localeCompare(b));
    return {
        metrics: both(known.metrics, all.metrics), params: both(known.params, all.params), tags: both(known.tags, all.tags),
        values: known.values,
    };
}

export function keysOf(rows: RunRow[]): KnownKeys {
    const metrics = new Set<string>();
    const params = new Set<string>();
    const tags = new Set<string>();
    const values = new Map<string, Set<string>>();
    const note = (name: string, value: string) => {
        const known = values.get(name) ?? new Set<string>();
        if (known.size < 30 && value.length < 80 && !value.includes("'")) known.add(value);
        values.set(name, known);
    };
    for (const row of rows.slice(0, 2000)) {
        for (const key of row.metrics.keys()) if (!key.startsWith("system/")) metrics.add(key);
        for (const [key, value] of row.params) {
            params.add(key);
            note(`params.${quoteKey(key)}`, value);
        }
        for (const [key, value] of row.tags) {
            tags.add(key);
            note(`tags.${quoteKey(key)}`, value);
        }
    }
    const sorted = (keys: Set<string>) => [...keys].sort((a, b) => a.localeCompare(b));
    return { metrics: sorted(metrics), params: sorted(params), tags: sorted(tags), values };
}

/** Columns before anybody chose: the first metrics and parameters. */
export function usualColumns(keys: KnownKeys): string[] {
    return [
        "start", "duration",
        ...keys.metrics.slice(0, 5).map((key) => `metrics.${key}`),
        ...keys.params.slice(0, 5).map((key) => `params.${key}`),
    ];
}

export function runName(run: Run): string {
    return run.info.run_name || run.info.run_id.slice(0, 8);
}

export interface RowActions {
    pin: (id: string) => void;
    toggle: (group: string) => void;
    loadMore: (group: string) => void;
}

export function columnsFor(ids: string[], actions: RowActions): Column<Row>[] {
    const first: Column<Row> = {
        id: "name", title: "Run", width: window.innerWidth < 600 ? 170 : 250, sort: "attributes.run_name",
        cell: (row) => (row.kind === "group" ? <GroupCell row={row} actions={actions} />
            : row.kind === "more" ? <MoreCell row={row} actions={actions} /> : <RunCell row={row} actions={actions} />),
    };
    return [first, ...ids.map(columnFor)];
}

function GroupCell({ row, actions }: { row: GroupRow; actions: RowActions }) {
    return (
        <button type="button" className="button quiet small group-button" aria-expanded={row.isOpen} onClick={() => actions.toggle(row.id)}>
            <span aria-hidden="true">{row.isOpen ? "▾" : "▸"}</span> <bdi className="cut">{row.label.slice(0, 60)}</bdi>{" "}
            <span className="muted numbers">{count(row.count)}</span>
        </button>
    );
}

function MoreCell({ row, actions }: { row: MoreRow; actions: RowActions }) {
    if (row.isLoading) return <span className="muted">Loading…</span>;
    return (
        <button type="button" className="button quiet small" title={row.error?.message} onClick={() => actions.loadMore(row.group)}>
            {row.error !== null ? "Failed; try again" : `Show more of ${count(row.left)}`}
        </button>
    );
}

function RunCell({ row, actions }: { row: RunRow; actions: RowActions }) {
    return (
        <span className="run-name" style={row.depth === 0 ? undefined : { paddingLeft: row.depth * 18 }}>
            {row.depth > 0 && <span className="muted" role="img" aria-label="child of the run above" title="Child of the run above">↳</span>}
            <RunDot run={row.run} />
            <Link to={path("runs", row.id)} dir="auto"><bdi>{runName(row.run).slice(0, 200)}</bdi></Link>
            <button type="button" className="copy inline" aria-pressed={row.isPinned}
                aria-label={row.isPinned ? "Unpin" : "Pin to the top"} title={row.isPinned ? "Unpin" : "Pin to the top"}
                onClick={() => actions.pin(row.id)}>{row.isPinned ? "★" : "☆"}</button>
            {row.depth === 0 && parentOf(row) !== undefined && (
                <Link className="muted small nowrap" to={path("runs", parentOf(row) ?? "")} title={`Child of run ${parentOf(row) ?? ""}`}>child</Link>
            )}
        </span>
    );
}

function columnFor(id: string): Column<Row> {
    const runOnly = (cell: (row: RunRow) => JSX.Element | string) =>
        (row: Row) => (row.kind === "run" ? cell(row) : "");
    if (id === "start") {
        return { id, title: "Started", width: 120, sort: "attributes.start_time", cell: runOnly(({ run }) => <RelativeTime at={run.info.start_time} />) };
    }
    if (id === "duration") {
        return { id, title: "Took", width: 105, cell: runOnly(({ run }) => <Elapsed from={run.info.start_time} to={run.info.end_time} />) };
    }
    if (id === "user") {
        return { id, title: "User", width: 110, sort: "attributes.user_id", cell: runOnly(({ run, tags }) => tags.get("mlflow.user") ?? run.info.user_id ?? "") };
    }
    const dot = id.indexOf(".");
    const kind = id.slice(0, dot);
    const key = id.slice(dot + 1);
    const sort = `${kind}.${quoteKey(key)}`;
    if (kind === "metrics") {
        return {
            id, title: key, width: Math.min(190, Math.max(96, key.length * 8 + 40)), align: "right", sort,
            cell: (row) => {
                if (row.kind === "more") return "";
                const value = row.kind === "run" ? row.metrics.get(key) : row.means.get(key);
                if (value === undefined) return row.kind === "run" ? <span className="muted">–</span> : "";
                return <span title={row.kind === "group" ? `mean of ${count(row.count)}` : String(value)}>{number(value)}</span>;
            },
        };
    }
    return {
        id, title: key, width: Math.min(190, Math.max(110, key.length * 8 + 40)), sort,
        cell: runOnly((row) => {
            const value = (kind === "params" ? row.params : row.tags).get(key);
            return value === undefined ? <span className="muted">–</span>
                : <bdi title={value.slice(0, 600)}>{value.slice(0, 200)}</bdi>;
        }),
    };
}
