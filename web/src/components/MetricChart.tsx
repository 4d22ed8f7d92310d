import { useEffect, useMemo, useState } from "react";
import { useHistory, type Curve } from "./useHistory";
import { Card } from "./Basics";
import { Chart, colorOf, smooth, type Trace } from "./Chart";
import { ErrorBox, Skeleton } from "./State";
import { localStamp } from "../core/format";

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
export function MetricChart({ metric, runs, options, every, tall = false }: {
    metric: string; runs: CurveRun[]; options: CurveOptions; every?: number | undefined; tall?: boolean;
}) {
    const [range, setRange] = useState<[number, number] | null>(null);
    useEffect(() => setRange(null), [options.x]);
    const ids = useMemo(() => runs.map(({ id }) => id), [runs]);
    const points = pointsFor(runs.length);
    const whole = useHistory(ids, metric, points, null, every);
    const steps = useMemo(() => (range === null ? null : stepsWithin(range, whole.data ?? [], options.x)), [range, whole.data, options.x]);
    const part = useHistory(steps === null ? [] : ids, metric, points, steps);
    const curves = (steps === null ? undefined : part.data) ?? whole.data;
    const traces = useMemo(() => tracesOf(curves ?? [], runs, options), [curves, runs, options]);
    return (
        <Card title={<bdi>{metric.slice(0, 120)}</bdi>} className="chart-card" flush
            side={range !== null && <span className="small">zoomed; double-click resets</span>}>
            {whole.error !== null && whole.data === undefined
                ? <ErrorBox error={whole.error} retry={() => void whole.reload()} />
                : curves === undefined ? <Skeleton lines={6} /> : (
                    <Chart traces={traces} label={`${metric.slice(0, 100)} by ${options.x}`} tall={tall}
                        logY={options.logY} dateX={options.x === "time"}
                        xTitle={options.x === "relative" ? "seconds since start" : options.x} onRange={setRange} />
                )}
        </Card>
    );
}

/** Points a run: of many curves nobody sees more than a chart has pixels for; zooming asks again. */
function pointsFor(runs: number): number {
    return runs > 60 ? 120 : runs > 20 ? 250 : 1000;
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

function tracesOf(curves: Curve[], runs: CurveRun[], options: CurveOptions): Trace[] {
    const known = new Map(curves.map((curve) => [curve.runID, curve]));
    return runs.flatMap((run): Trace[] => {
        const curve = known.get(run.id);
        if (curve === undefined) return [];
        const start = curve.times[0] ?? 0;
        const x = options.x === "step" ? curve.steps
            : options.x === "time" ? curve.times.map(localStamp)
                : curve.times.map((time) => (time - start) / 1000);
        const values = curve.values.map((value) => (Number.isFinite(value) ? value : null));
        const smoothed = smooth(curve.values, options.smoothing)
            .map((value) => (Number.isFinite(value) ? value : null));
        const isPoint = curve.values.length === 1;
        const line: Trace = {
            x, y: smoothed, name: escapeLabel(run.name), mode: isPoint ? "markers" : "lines",
            line: { color: run.color, width: runs.length > 20 ? 1.2 : 1.8 },
            marker: { color: run.color, size: 8 },
            hovertemplate: "%{y:.5g} at %{x}<extra>%{fullData.name}</extra>",
        };
        if (options.smoothing <= 0 || isPoint) return [line];
        const raw: Trace = {
            x, y: values, name: line.name, mode: "lines", opacity: 0.22, hoverinfo: "skip",
            line: { color: run.color, width: 1 },
        };
        delete raw.hovertemplate;
        return [raw, line];
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
