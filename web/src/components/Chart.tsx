import { useMemo, useState } from "react";
import { CanvasChart, type TooltipText } from "./curves/CanvasChart";
import type { ChartSettings } from "./curves/controller";
import type { Line } from "./curves/view";
import { InView } from "./InView";

export type { Line, TooltipText };

export interface ChartProps extends Partial<ChartSettings> {
    lines: Line[];
    label: string;
    tooltip?: (line: Line, index: number) => TooltipText;
    /** Says which line is which below the chart; a click hides one, a double click all others. */
    legend?: boolean;
    tall?: boolean;
    short?: boolean;
}

/** A chart of what the page knows; what was logged step by step is drawn by `MetricChart`. Exists only while it is near the window's visible part. */
export function Chart({ lines, label, legend = false, tall = false, short = false, kind = "number", logY = false, tooltip, ...rest }: ChartProps) {
    const [hidden, setHidden] = useState<Set<string>>(() => new Set());
    const [isZoomed, setZoomed] = useState(false);
    const [resets, setResets] = useState(0);
    const shown = useMemo(() => lines.filter(({ id }) => !hidden.has(id)), [lines, hidden]);
    return (
        <InView className={`chart-area ${tall ? "tall" : short ? "short" : ""}`} label={label}>
            <CanvasChart {...rest} lines={shown} label={label} kind={kind} logY={logY} tooltip={tooltip} resets={resets}
                onRange={(range) => setZoomed(range !== null)} />
            {isZoomed && <button type="button" className="button small" onClick={() => setResets(resets + 1)}>Show all</button>}
            {legend && <LineLegend lines={lines} hidden={hidden} onHide={setHidden} />}
        </InView>
    );
}

function LineLegend({ lines, hidden, onHide }: { lines: Line[]; hidden: Set<string>; onHide: (hidden: Set<string>) => void }) {
    const toggle = (id: string) => {
        const next = new Set(hidden);
        if (!next.delete(id)) next.add(id);
        onHide(next);
    };
    const isolate = (id: string) => {
        const others = lines.filter((line) => line.id !== id).map((line) => line.id);
        onHide(new Set(others.every((other) => hidden.has(other)) ? [] : others));
    };
    return (
        <ul className="legend" aria-label="Lines">
            {lines.map(({ id, name, color, shape }) => (
                <li key={id}>
                    <button type="button" aria-pressed={!hidden.has(id)} onClick={() => toggle(id)} onDoubleClick={() => isolate(id)}>
                        <svg width="14" height="8" aria-hidden="true">
                            {shape === "points" ? <circle cx="7" cy="4" r="4" fill={color} /> : <rect y="2" width="14" height="4" rx="2" fill={color} />}
                        </svg>
                        {name}
                    </button>
                </li>
            ))}
        </ul>
    );
}
