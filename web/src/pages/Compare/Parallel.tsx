import { useEffect, useMemo, useRef, useState, type PointerEvent } from "react";
import type { CurveRun } from "../../components/MetricChart";
import { linesOf, scaleOf, type Axis } from "./scale";

/** Of the axes themselves; names above take a line each as they need. */
const PLOT = 264;
const LINE = 13;
const BOTTOM = 22;
const SIDE = 70;
/** Pixels that an axis takes at least: its name must not run into the next. On a phone one scrolls. */
const AXIS_ROOM = 112;

function short(text: string): string {
    return text.length > 16 ? `${text.slice(0, 15)}…` : text;
}

/** One vertical axis a quantity, one line a run. Dragging along axes keeps the runs inside all brushes. */
export function Parallel({ axes, runs, onBrush }: {
    axes: Axis[]; runs: CurveRun[]; onBrush: (ids: Set<string> | null) => void;
}) {
    const box = useRef<SVGSVGElement>(null);
    const [width, setWidth] = useState(900);
    const [brushes, setBrushes] = useState<Map<number, [number, number]>>(new Map());
    const drag = useRef<{ axis: number; start: number; range: [number, number] } | null>(null);
    useEffect(() => {
        const element = box.current;
        if (element === null) return;
        const watcher = new ResizeObserver(([entry]) => entry && setWidth(Math.max(320, entry.contentRect.width)));
        watcher.observe(element);
        return () => watcher.disconnect();
    }, []);

    const scales = useMemo(() => axes.map(scaleOf), [axes]);
    const names = useMemo(() => axes.map(({ name }) => linesOf(name)), [axes]);
    const TOP = 20 + LINE * Math.max(1, ...names.map(({ length }) => length));
    const HEIGHT = TOP + PLOT + BOTTOM;
    const x = (index: number) => SIDE + (index * (width - 2 * SIDE)) / Math.max(1, axes.length - 1);
    const y = (share: number) => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
    const share = (pixel: number) => Math.min(1, Math.max(0, 1 - (pixel - TOP) / (HEIGHT - TOP - BOTTOM)));

    const inside = (id: string, within: Map<number, [number, number]>) => [...within].every(([index, [low, high]]) => {
        const scale = scales[index];
        const value = scale?.axis.values.get(id);
        if (scale === undefined || value === undefined) return false;
        const at = scale.place(value);
        return at >= low && at <= high;
    });
    const change = (next: Map<number, [number, number]>) => {
        setBrushes(next);
        onBrush(next.size === 0 ? null : new Set(runs.filter(({ id }) => inside(id, next)).map(({ id }) => id)));
    };

    const pixel = (event: PointerEvent) => event.clientY - (box.current?.getBoundingClientRect().top ?? 0);
    const begin = (index: number) => (event: PointerEvent<SVGRectElement>) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        const start = share(pixel(event));
        drag.current = { axis: index, start, range: [start, start] };
    };
    const move = (event: PointerEvent) => {
        if (drag.current === null) return;
        const { axis, start } = drag.current;
        const now = share(pixel(event));
        const range: [number, number] = [Math.min(start, now), Math.max(start, now)];
        drag.current.range = range;
        setBrushes((before) => new Map(before).set(axis, range));
    };
    const end = () => {
        if (drag.current === null) return;
        // From the pointer, not from what was drawn: on a busy machine that lags behind.
        const { axis, range } = drag.current;
        const next = new Map(brushes);
        if (range[1] - range[0] < 0.02) next.delete(axis);
        else next.set(axis, range);
        drag.current = null;
        change(next);
    };

    return (
        <div className="parallel-box" tabIndex={0} role="group" aria-label="Axes">
        <svg ref={box} className="parallel" height={HEIGHT} style={{ minWidth: axes.length * AXIS_ROOM }} role="img" aria-label={`Parallel coordinates of ${runs.length} runs`}>
            {runs.map((run) => {
                const points = scales.flatMap((scale, index) => {
                    const value = scale.axis.values.get(run.id);
                    return value === undefined ? [] : [`${x(index).toFixed(1)},${y(scale.place(value)).toFixed(1)}`];
                });
                const isOn = inside(run.id, brushes);
                return <path key={run.id} className="line" d={`M${points.join("L")}`} stroke={run.color} strokeOpacity={isOn ? 0.75 : 0.07}><title>{run.name.slice(0, 100)}</title></path>;
            })}
            {scales.map((scale, index) => {
                const brush = brushes.get(index);
                return (
                    <g key={scale.axis.name} className="axis">
                        <line x1={x(index)} x2={x(index)} y1={TOP} y2={HEIGHT - BOTTOM} />
                        <text className="axis-name" textAnchor="middle">
                            <title>{scale.axis.name}</title>
                            {names[index]?.map((line, row) => <tspan key={row} x={x(index)} y={14 + row * LINE}>{line}</tspan>)}
                        </text>
                        <text x={x(index) + 6} y={TOP + 4}><title>{scale.high}</title>{short(scale.high)}</text>
                        <text x={x(index) + 6} y={HEIGHT - BOTTOM + 4}><title>{scale.low}</title>{short(scale.low)}</text>
                        {brush && <rect className="brush" x={x(index) - 7} width={14} y={y(brush[1])} height={Math.max(1, y(brush[0]) - y(brush[1]))} />}
                        <rect x={x(index) - 14} width={28} y={TOP - 4} height={HEIGHT - TOP - BOTTOM + 8} fill="transparent"
                            style={{ cursor: "ns-resize" }} onPointerDown={begin(index)} onPointerMove={move} onPointerUp={end} />
                    </g>
                );
            })}
        </svg>
        </div>
    );
}
