import { useMemo } from "react";
import type { Run } from "../../api/mlflow";
import { Chart, type Line } from "../../components/Chart";
import type { CurveRun } from "../../components/MetricChart";
import { fullTime, number } from "../../core/format";
import { runName } from "../Runs/rows";
import { placeOnAxis, valueOf } from "./values";

/** A point a run that has both values. */
export function Scatter({ runs, named, x, y }: { runs: Run[]; named: CurveRun[]; x: string; y: string }) {
    const { kind, categories, points, at } = useMemo(() => {
        const colors = new Map(named.map(({ id, color }) => [id, color]));
        return placeOnAxis(runs.flatMap((run) => {
            const { run_id: id } = run.info;
            const [across, up] = [valueOf(run, x), valueOf(run, y)];
            return across === undefined || typeof up !== "number" ? [] : [{ id, name: runName(run), color: colors.get(id) ?? "#3f74dd", x: across, y: up }];
        }));
    }, [runs, named, x, y]);
    const lines = useMemo((): Line[] => [{
        id: "runs", name: "runs", color: "#3f74dd", shape: "points", x: at, y: points.map((point) => point.y), colors: points.map(({ color }) => color),
    }], [points, at]);
    // Names have half a place on each side, so that their labels have room.
    const domain = useMemo(() => (kind === "category" ? { from: -0.5, to: (categories?.length ?? 1) - 0.5 } : undefined), [kind, categories]);
    return (
        <>
            <Chart lines={lines} domain={domain} label={`${y.slice(0, 80)} by ${x.slice(0, 80)}`} kind={kind} categories={categories} title={x} titleY={y} boxZoom tall
                tooltip={(line, index) => {
                    const point = points[index];
                    const place = kind === "time" ? fullTime(line.x[index] ?? NaN) : number(point?.x);
                    return { value: number(line.y[index]), place: place.slice(0, 80), name: point?.name ?? "" };
                }} />
            {points.length < runs.length && <p className="small muted">{runs.length - points.length} of {runs.length} runs have no place here: a value is missing.</p>}
        </>
    );
}
