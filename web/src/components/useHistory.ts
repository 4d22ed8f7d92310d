import { numeric } from "../api/client";
import { metricHistory, type Metric } from "../api/mlflow";
import { useQuery, type Query } from "../core/query";

export interface Curve {
    runID: string;
    steps: number[];
    times: number[];
    values: number[];
}

/** The server takes at most this many runs in one question. */
const RUNS_AT_ONCE = 100;

/** Points of one metric, one curve a run; thinned by the server, finer inside `range`. */
export function useHistory(
    runs: string[], metric: string, points: number, range: [number, number] | null, every?: number,
): Query<Curve[]> {
    const key = runs.length === 0 ? null : `history/${metric}/${points}/${range?.join("-") ?? ""}/${runs.join()}`;
    return useQuery(key, async () => {
        const parts: Promise<Metric[]>[] = [];
        for (let from = 0; from < runs.length; from += RUNS_AT_ONCE) {
            const part = runs.slice(from, from + RUNS_AT_ONCE);
            parts.push(metricHistory(part, metric, points, range ?? undefined));
        }
        return curvesOf((await Promise.all(parts)).flat(), runs[0] ?? "");
    }, { every, freshFor: 2000 });
}

export function curvesOf(metrics: Metric[], onlyRun: string): Curve[] {
    const curves = new Map<string, Curve>();
    for (const point of metrics) {
        const runID = point.run_id ?? onlyRun;
        let curve = curves.get(runID);
        if (curve === undefined) {
            curve = { runID, steps: [], times: [], values: [] };
            curves.set(runID, curve);
        }
        curve.steps.push(point.step ?? 0);
        curve.times.push(point.timestamp);
        curve.values.push(numeric(point.value));
    }
    return [...curves.values()];
}
