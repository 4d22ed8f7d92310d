import { memo, useEffect, useMemo, useRef, useState } from "react";
import { useSearchParam } from "../core/router";
import { useCurves, type Curve } from "./useCurves";
import { Card } from "./Card";
import { CanvasChart } from "./curves/CanvasChart";
import { isEstimated, isWhole, linesOf, merged, placesOf, stepsWithin, type XAxis } from "./curves/prepare";
import { indexAt } from "./curves/view";
import { InView } from "./InView";
import { colorsOf } from "./runColors";
import { ErrorBox, Skeleton } from "./State";

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

/** Milliseconds without a movement of the slider after which the server is asked to smooth. */
const REST = 120;

/**
 * One metric of one or many runs. Zooming asks the server for finer points of that part. Short series are
 * smoothed here; of long ones the server smooths all points, and until it has answered the line stands about
 * where it will.
 */
export const MetricChart = memo(function MetricChart({ metric, runs, options, tall = false }: {
    metric: string; runs: CurveRun[]; options: CurveOptions; tall?: boolean;
}) {
    const [range, setRange] = useState<[number, number] | null>(null);
    const [resets, setResets] = useState(0);
    useEffect(() => setRange(null), [options.x]);
    const { curves, error, reload } = useChartCurves(metric, runs, options, range);
    const lines = useMemo(() => linesOf(curves ?? [], runs, options.x, options.smoothing), [curves, runs, options.x, options.smoothing]);
    return (
        <Card title={<bdi>{metric.slice(0, 120)}</bdi>} className="chart-card" flush side={range !== null && (
            <button type="button" className="button small" onClick={() => setResets(resets + 1)}>Show all</button>
        )}>
            {error !== null && <ErrorBox error={error} retry={reload} />}
            {(error === null || curves !== undefined) && (
                <InView className={`chart-area ${tall ? "tall" : ""}`}>
                    {curves === undefined ? <Skeleton lines={6} /> : (
                        <CanvasChart lines={lines} label={`${metric.slice(0, 100)} by ${options.x}`} tall={tall} logY={options.logY}
                            kind={options.x === "time" ? "time" : options.x === "relative" ? "seconds" : "step"}
                            title={options.x === "relative" ? "since the run's start" : options.x} onRange={setRange} resets={resets}
                            isInterim={curves.some((curve) => isEstimated(curve, options.smoothing))} />
                    )}
                </InView>
            )}
        </Card>
    );
});

function useChartCurves(metric: string, runs: CurveRun[], options: CurveOptions, range: [number, number] | null) {
    const { x } = options;
    const axis = x === "step" ? "step" : "time";
    const ids = useMemo(() => runs.map(({ id }) => id), [runs]);
    const question = { metric, axis } as const;
    const plain = useCurves({ ...question, runs: ids });
    // Asked once the hand rests; meanwhile the last answer stays.
    const smoothing = useDebounced(options.smoothing);
    const needsServer = smoothing > 0 && (plain.data ?? []).some((curve) => !isWhole(curve));
    const exact = useCurves({ ...question, runs: needsServer ? ids : [], smoothing });
    const last = useRef<{ of: string; curves: Curve[] } | null>(null);
    const subject = `${metric} ${axis} ${ids.join()}`;
    if (needsServer && exact.data !== undefined) last.current = { of: subject, curves: exact.data };
    const kept = needsServer && last.current?.of === subject ? last.current.curves : undefined;
    const whole = kept ?? plain.data;
    const steps = useMemo(
        () => (range === null || (whole ?? []).every(isWhole) ? null : stepsWithin(range, whole ?? [], x)), [range, whole, x]);
    const part = useCurves({ ...question, runs: steps === null ? [] : ids, range: steps, ...(needsServer ? { smoothing } : {}) });
    const curves = useMemo(
        () => (steps === null || range === null || whole === undefined ? whole : merged(whole, part.data ?? [], x, wider(range, whole, x))),
        [steps, range, whole, part.data, x]);
    return {
        curves, error: (plain.data === undefined ? plain.error : null) ?? exact.error,
        reload: () => void (plain.error !== null ? plain.reload() : exact.reload()),
    };
}

/** The part with the points beside it. */
function wider([from, to]: [number, number], curves: Curve[], x: XAxis): [number, number] {
    let low = from;
    let high = to;
    for (const curve of curves) {
        const places = placesOf(curve, x);
        const first = indexAt(places, from);
        const before = places[first - 1];
        const after = places[indexAt(places, to) + 1];
        if (before !== undefined) low = Math.min(low, before);
        if (after !== undefined) high = Math.max(high, after);
    }
    return [low, high];
}

/** A value once it has not changed for a moment. */
function useDebounced(value: number): number {
    const [rested, setRested] = useState(value);
    useEffect(() => {
        const timer = window.setTimeout(() => setRested(value), REST);
        return () => window.clearTimeout(timer);
    }, [value]);
    return rested;
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

/** The settings of curves in the address: a link shows what was seen. The slider writes when it rests. */
export function useCurveOptions(): [CurveOptions, (options: CurveOptions) => void] {
    const [x, setX] = useSearchParam("axis", "step");
    const [smoothing, setSmoothing] = useSearchParam("smoothing", "0");
    const [scale, setScale] = useSearchParam("scale", "linear");
    const given = Math.min(0.99, Math.max(0, Number(smoothing) || 0));
    const [held, setHeld] = useState(given);
    useEffect(() => setHeld(given), [given]);
    useEffect(() => {
        if (held === given) return;
        const timer = window.setTimeout(() => setSmoothing(String(held)), 2 * REST);
        return () => window.clearTimeout(timer);
    }, [held, given, setSmoothing]);
    const axis: XAxis = x === "time" || x === "relative" ? x : "step";
    const options = useMemo(
        (): CurveOptions => ({ x: axis, smoothing: held, logY: scale === "log" }), [axis, held, scale]);
    return [options, (next) => {
        if (next.x !== axis) setX(next.x);
        if (next.logY !== options.logY) setScale(next.logY ? "log" : "linear");
        setHeld(next.smoothing);
    }];
}

/** Runs with the colours that they have on every page. */
export function curveRuns(runs: { id: string; name: string }[]): CurveRun[] {
    const colors = colorsOf(runs.map(({ id }) => id));
    return runs.map((run) => ({ ...run, color: colors.get(run.id) ?? "#3f74dd" }));
}
