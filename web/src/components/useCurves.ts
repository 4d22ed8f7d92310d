import { numeric } from "../api/client";
import { readCurves } from "../api/mlflow";
import { useQuery, type Query } from "../core/query";

export interface Curve {
    runID: string;
    steps: number[];
    times: number[];
    values: number[];
}

/** One metric of all these runs in one question; thinned by the server, finer inside `range`; follows what they log. */
export function useCurves(
    runs: string[], metric: string, range: [number, number] | null,
): Query<Curve[]> {
    const key = runs.length === 0 ? null : `curves/${metric}/${range?.join("-") ?? ""}/${runs.join()}`;
    return useQuery(key, async () => {
        const found = await readCurves(runs, metric, range ?? undefined);
        return found.map(({ run_id: runID, steps, times, values }): Curve =>
            ({ runID, steps, times, values: values.map(numeric) }));
    }, { on: ["run"], runs, freshFor: 2000 });
}
