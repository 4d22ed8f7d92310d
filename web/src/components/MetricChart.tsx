import { useCallback, useEffect, useMemo, useState } from "react";
import { useCurves, type Curve } from "./useCurves";
import { Card } from "./Basics";
import { colorOf, smooth } from "./Chart";
import type { Line } from "./curves/draw";
import { LineChart } from "./curves/LineChart";
import { Near } from "./Near";
import { ErrorBox, Skeleton } from "./State";

export type XAxis = "step" | "time" | "relative";

export interface CurveOptions {
    x: XAxis;
    /** 0…0.99. */
    smoothing: number;
    logY: boolean;
}

export interface CurveRun {
    id: string;
    name: string;
    color: string;
}

/** One metric of one or many runs. Zooming asks the server for finer points of that part. */
export function MetricChart({ metric, runs, options, tall = false }: {
    metric: string; runs: CurveRun[]; options: CurveOptions; tall?: boolean;
}) {
    const [range, setRange] = useState<[number, number] | null>(null);
    const [resets, setResets] = useState(0);
    useEffect(() => setRange(null), [options.x]);
    const ids = useMemo(() => runs.map(({ id }) => id), [runs]);
    const whole = useCurves(ids, metric, null);
    const steps = useMemo(() => (range === null ? null : stepsWithin(range, whole.data ?? [], options.x)), [range, whole.data, options.x]);
    const part = useCurves(steps === null ? [] : ids, metric, steps);
    const curves = useMemo(
        () => (steps === null || whole.data === undefined ? whole.data : merged(whole.data, part.data ?? [])),
        [steps, whole.data, part.data]);
    const lines = useMemo(() => linesOf(curves ?? [], runs, options), [curves, runs, options]);
    const onRange = useCallback((next: [number, number] | null) => setRange(next), []);
    return (
        <Card title={<bdi>{metric.slice(0, 120)}</bdi>} className="chart-card" flush side={range !== null && (
            <button type="button" className="button small" onClick={() => setResets(resets + 1)}>Show all</button>
        )}>
            {whole.error !== null && whole.data === undefined
                ? <ErrorBox error={whole.error} retry={() => void whole.reload()} />
                : (
                    <Near className={`line-area ${tall ? "tall" : ""}`}>
                        {curves === undefined ? <Skeleton lines={6} /> : (
                            <LineChart lines={lines} label={`${metric.slice(0, 100)} by ${options.x}`} tall={tall} logY={options.logY}
                                kind={options.x === "time" ? "time" : options.x === "relative" ? "seconds" : "step"}
                                title={options.x === "relative" ? "since start" : options.x} onRange={onRange} resets={resets} />
                        )}
                    </Near>
                )}
        </Card>
    );
}

/** The finer points of a part between the others, so that one can look beyond it at once. */
function merged(whole: Curve[], part: Curve[]): Curve[] {
    const finer = new Map(part.map((curve) => [curve.runID, curve]));
    return whole.map((curve) => {
        const inner = finer.get(curve.runID);
        const from = inner?.steps[0];
        const to = inner?.steps[inner.steps.length - 1];
        if (inner === undefined || from === undefined || to === undefined) return curve;
        const before = curve.steps.findIndex((step) => step >= from);
        const after = curve.steps.findIndex((step) => step > to);
        const start = before === -1 ? curve.steps.length : before;
        const end = after === -1 ? curve.steps.length : after;
        const join = (all: number[], some: number[]) => [...all.slice(0, start), ...some, ...all.slice(end)];
        return {
            runID: curve.runID, steps: join(curve.steps, inner.steps), times: join(curve.times, inner.times),
            values: join(curve.values, inner.values),
        };
    });
}

/** The steps that a part of the axis shows: what the server is asked for. */
function stepsWithin([from, to]: [number, number], curves: Curve[], x: XAxis): [number, number] | null {
    if (x === "step") return [Math.floor(from), Math.ceil(to)];
    let low = Infinity;
    let high = -Infinity;
    for (const { steps, times } of curves) {
        const start = x === "relative" ? times[0] ?? 0 : 0;
        const unit = x === "relative" ? 1000 : 1;
        // The points beside the part belong to it: its first line begins there.
        const first = times.findIndex((time) => (time - start) / unit >= from);
        const after = times.findIndex((time) => (time - start) / unit > to);
        if (first === -1) continue;
        low = Math.min(low, steps[Math.max(0, first - 1)] ?? 0);
        high = Math.max(high, steps[after === -1 ? steps.length - 1 : after] ?? 0);
    }
    return low > high ? null : [low, high];
}

function linesOf(curves: Curve[], runs: CurveRun[], options: CurveOptions): Line[] {
    const known = new Map(curves.map((curve) => [curve.runID, curve]));
    return runs.flatMap((run): Line[] => {
        const curve = known.get(run.id);
        if (curve === undefined) return [];
        const start = curve.times[0] ?? 0;
        const x = options.x === "step" ? curve.steps
            : options.x === "time" ? curve.times : curve.times.map((time) => (time - start) / 1000);
        const line: Line = { id: run.id, name: run.name, color: run.color, x, y: smooth(curve.values, options.smoothing) };
        if (options.smoothing > 0 && curve.values.length > 1) line.raw = curve.values;
        return [line];
    });
}

/** The chart library reads some tags in labels; names are shown as they are. */
export function escapeLabel(text: string): string {
    return text.slice(0, 60).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

export function CurveControls({ options, onChange }: { options: CurveOptions; onChange: (options: CurveOptions) => void }) {
    return (
        <>
            <select className="select" aria-label="Horizontal axis" value={options.x}
                onChange={(event) => onChange({ ...options, x: event.target.value as XAxis })}>
                <option value="step">By step</option>
                <option value="relative">By time since start</option>
                <option value="time">By time of day</option>
            </select>
            <label className="check">
                Smoothing
                <input type="range" min={0} max={0.98} step={0.02} value={options.smoothing}
                    onChange={(event) => onChange({ ...options, smoothing: Number(event.target.value) })} />
                <span className="numbers small" style={{ minWidth: 30 }}>{options.smoothing.toFixed(2)}</span>
            </label>
            <label className="check">
                <input type="checkbox" checked={options.logY} onChange={(event) => onChange({ ...options, logY: event.target.checked })} />
                Logarithmic
            </label>
        </>
    );
}

/** One run's colour, whichever page shows it in this order. */
export function curveRuns(runs: { id: string; name: string }[]): CurveRun[] {
    return runs.map((run, index) => ({ ...run, color: colorOf(index) }));
}
