import { numeric } from "../api/client";
import { readCurves, type CurveAxis } from "../api/mlflow";
import { useQuery, type Query } from "../core/query";

export interface Curve {
    runID: string;
    /** When the run began; milliseconds. */
    start: number;
    /** Of the whole series. */
    pointCount: number;
    steps: number[];
    times: number[];
    values: number[];
    /** By the server, of all points; only where it was asked. */
    smoothed?: number[] | undefined;
    /** With which weight that was. */
    weight?: number | undefined;
}

export interface CurveQuestion {
    runs: string[];
    metric: string;
    axis: CurveAxis;
    /** Steps. */
    range?: [number, number] | null;
    /** Missing where no smoothed values are needed. */
    smoothing?: number;
}

/** What the protocol keeps of infinity: the greatest number that there is. */
const GREATEST = Number.MAX_VALUE;

function valueOf(stored: number | string): number {
    const value = numeric(stored);
    return value >= GREATEST ? Infinity : value <= -GREATEST ? -Infinity : value;
}

/** One metric of all these runs in one question; thinned by the server, finer inside `range`; follows what they log. */
export function useCurves({ runs, metric, axis, range, smoothing }: CurveQuestion): Query<Curve[]> {
    const key = runs.length === 0 ? null
        : `curves/${metric}/${axis}/${range?.join("-") ?? ""}/${smoothing ?? ""}/${runs.join()}`;
    return useQuery(key, async () => {
        const found = await readCurves(runs, metric, axis, range ?? undefined, smoothing);
        return found.map((curve): Curve => ({
            runID: curve.run_id, start: curve.start_time, pointCount: curve.point_count, steps: curve.steps, times: curve.times,
            values: curve.values.map(valueOf), smoothed: curve.smoothed?.map(numeric), weight: smoothing,
        }));
    }, { invalidateOn: ["run"], runs, staleTime: 2000 });
}
