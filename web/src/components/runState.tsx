/** How a run is: what it says of itself, and whether it still says anything. */
import type { Run } from "../api/mlflow";
import { StatusDot, StatusBadge } from "./Status";
import { useNow } from "./Time";

/** Milliseconds without a sign after which a run that says it runs is taken for one whose client died. */
export const QUIET = 15 * 60_000;

/** When the run was last heard of: it began, or logged a metric. */
export function lastSign({ info, data }: Run): number {
    return (data.metrics ?? []).reduce((latest, { timestamp }) => Math.max(latest, timestamp), info.start_time ?? 0);
}

/** A job's run is looked after by the server; of others nobody knows but by what they log. */
export function isStale(run: Run, now: number): boolean {
    return run.info.status === "RUNNING" && now - lastSign(run) > QUIET
        && !(run.data.tags ?? []).some(({ key }) => key === "aloft.job");
}

export function RunStatus({ run }: { run: Run }) {
    const stale = isStale(run, useNow());
    return stale ? <span title="It says that it runs, but nothing was heard of it for long."><StatusBadge state="stale" tone="idle" /></span>
        : <StatusBadge state={run.info.status} />;
}

export function RunDot({ run }: { run: Run }) {
    return <StatusDot state={isStale(run, useNow()) ? "stale" : run.info.status} />;
}
