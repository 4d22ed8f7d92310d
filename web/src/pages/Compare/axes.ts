/** Which metrics and parameters of runs are worth comparing. */
import { numeric } from "../../api/client";
import type { Run } from "../../api/mlflow";
import type { Axis } from "./scale";

/** What counts rather than measures, and how long things took: seldom what runs are compared for. */
const COUNTERS = /(^|[/._-])(epochs?|steps?|global_step|iter(ation)?s?|batch(es)?|examples?|samples?|tokens|lr|learning_rate|momentum|grad(ient)?_norm|time|seconds|duration|runtime|elapsed|memory|throughput|.*_per_(second|sec))s?$/i;
const JUDGES = /(^|[/._-])(val|valid|validation|test|eval|cv|best|holdout)([/._-]|$)/i;
const MEASURES = /loss|auc|acc|f1|precision|recall|rmse|mse|mae|mape|r2|score|error|ndcg|map|bleu|rouge|perplexity|ppl|iou|dice|logloss|reward/i;

/** How likely runs are compared for a metric: lower is likelier. */
function rankOf(key: string): number {
    if (key.startsWith("system/")) return 4;
    if (COUNTERS.test(key)) return 3;
    return MEASURES.test(key) ? (JUDGES.test(key) ? 0 : 1) : 2;
}

/** The likeliest first. */
export function metricKeys(runs: Run[]): string[] {
    const counts = new Map<string, number>();
    for (const run of runs) {
        for (const { key } of run.data.metrics ?? []) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    // A metric that few of the runs have shows little of them.
    const rank = ([key, count]: [string, number]) => rankOf(key) + (count * 2 < runs.length && rankOf(key) < 3 ? 2.5 : 0);
    return [...counts].sort((a, b) => rank(a) - rank(b) || b[1] - a[1] || a[0].localeCompare(b[0])).map(([key]) => key);
}

/** Axes worth drawing: parameters that differ, and metrics. */
export function axesOf(runs: Run[], keys: string[]): Axis[] {
    const params = new Map<string, Map<string, string>>();
    const metrics = new Map<string, Map<string, number>>();
    for (const run of runs) {
        for (const { key, value } of run.data.params ?? []) {
            params.set(key, (params.get(key) ?? new Map<string, string>()).set(run.info.run_id, value));
        }
        for (const { key, value } of run.data.metrics ?? []) {
            if (key.startsWith("system/") || !Number.isFinite(numeric(value))) continue;
            metrics.set(key, (metrics.get(key) ?? new Map<string, number>()).set(run.info.run_id, numeric(value)));
        }
    }
    const differing = [...params].filter(([, values]) => new Set(values.values()).size > 1);
    return [
        ...differing.slice(0, 6).map(([name, values]): Axis => {
            const isNumber = [...values.values()].every((value) => value !== "" && Number.isFinite(Number(value)));
            return { name, values: new Map([...values].map(([id, value]) => [id, isNumber ? Number(value) : value])) };
        }),
        ...keys.filter((key) => metrics.has(key)).slice(0, 3).map((name): Axis => ({ name, values: metrics.get(name) ?? new Map() })),
    ];
}
