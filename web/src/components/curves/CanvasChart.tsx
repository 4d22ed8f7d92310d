import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { fullTime, duration, number } from "../../core/format";
import { ChartController, type ChartSettings } from "./controller";
import type { Hit, Line } from "./view";

/** What is told of a value under the pointer. */
export interface TooltipText {
    value: string;
    /** Where it stands along the horizontal axis. */
    place: string;
    name: string;
}

export interface CanvasChartProps extends ChartSettings {
    label: string;
    tall?: boolean;
    tooltip?: ((line: Line, index: number) => TooltipText) | undefined;
    /** The part of the horizontal axis that is seen after zooming; `null` for all. */
    onRange: (range: [number, number] | null) => void;
    /** A number that grows shows everything again. */
    resets?: number;
}

/**
 * Curves or points on a canvas of our own: hundreds of curves move within a frame. Dragging zooms, with Shift
 * it pans; double-click shows everything; so do keys.
 */
export function CanvasChart({ label, tall = false, tooltip, onRange, resets = 0, ...setting }: CanvasChartProps) {
    const box = useRef<HTMLDivElement>(null);
    const canvas = useRef<HTMLCanvasElement>(null);
    const selection = useRef<HTMLDivElement>(null);
    const controller = useRef<ChartController | null>(null);
    const [hits, setHits] = useState<Hit[]>([]);
    const range = useRef(onRange);
    range.current = onRange;

    useEffect(() => {
        if (canvas.current === null || box.current === null || selection.current === null) return;
        const made = new ChartController(canvas.current, box.current, selection.current, {
            onRange: (part) => range.current(part),
            // Many movements hit nothing: they change nothing.
            onHits: (next) => setHits((before) => (before.length === 0 && next.length === 0 ? before : next)),
        });
        controller.current = made;
        const watcher = new ResizeObserver(() => made.refresh());
        watcher.observe(box.current);
        const scheme = window.matchMedia("(prefers-color-scheme: dark)");
        const changed = () => made.refresh();
        scheme.addEventListener("change", changed);
        return () => {
            made.stop();
            watcher.disconnect();
            scheme.removeEventListener("change", changed);
            controller.current = null;
        };
    }, []);
    const { lines, kind, categories, logY, title, titleY, domain, includeZero, boxZoom, sharedTooltip, isInterim } = setting;
    useEffect(
        () => controller.current?.show({ lines, kind, categories, logY, title, titleY, domain, includeZero, boxZoom, sharedTooltip, isInterim }),
        [lines, kind, categories, logY, title, titleY, domain, includeZero, boxZoom, sharedTooltip, isInterim]);
    useEffect(() => {
        if (resets > 0) controller.current?.reset();
    }, [resets]);

    return (
        <div ref={box} className={`line-chart ${tall ? "tall" : ""}`} role="img" aria-label={label} tabIndex={0}
            data-interim={isInterim || undefined} aria-busy={isInterim || undefined}
            onPointerDown={(event) => grab(event, controller.current)}
            onPointerMove={(event) => event.buttons === 0 && controller.current?.hover(...placeOf(event))}
            onPointerLeave={() => controller.current?.leave()}
            onDoubleClick={() => controller.current?.reset()}
            onKeyDown={(event) => onKey(event, controller.current)}>
            <canvas ref={canvas} />
            <div ref={selection} className="line-selection" />
            {hits.length > 0 && (
                <Tooltip hits={hits} tooltip={tooltip ?? ((line, index) => tooltipOf(line, index, setting))} isInterim={isInterim === true}
                    width={box.current?.clientWidth ?? 300} height={box.current?.clientHeight ?? 240} />
            )}
        </div>
    );
}

function tooltipOf(line: Line, index: number, { kind, categories }: ChartSettings): TooltipText {
    const at = line.x[index] ?? 0;
    const place = kind === "time" ? fullTime(at) : kind === "seconds" ? duration(at * 1000)
        : kind === "category" ? categories?.[at] ?? "" : kind === "number" ? number(at) : `step ${number(at)}`;
    return { value: number(line.y[index]), place, name: line.name };
}

function placeOf(event: PointerEvent<HTMLElement>): [number, number] {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
}

function grab(event: PointerEvent<HTMLElement>, controller: ChartController | null): void {
    if (controller === null || event.button !== 0) return;
    const element = event.currentTarget;
    const { left, top } = element.getBoundingClientRect();
    const drag = controller.grab(event.clientX - left, event.clientY - top, event.shiftKey);
    element.setPointerCapture(event.pointerId);
    const move = (moved: globalThis.PointerEvent) => drag.move(moved.clientX - left, moved.clientY - top);
    const end = (ended: globalThis.PointerEvent) => {
        drag.end(ended.clientX - left, ended.clientY - top);
        element.removeEventListener("pointermove", move);
        element.removeEventListener("pointerup", end);
        element.removeEventListener("pointercancel", end);
    };
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", end);
    element.addEventListener("pointercancel", end);
}

function onKey(event: KeyboardEvent<HTMLElement>, controller: ChartController | null): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts: Record<string, () => void> = {
        ArrowLeft: () => controller?.pan(-0.2), ArrowRight: () => controller?.pan(0.2), "+": () => controller?.zoom(0.6),
        "=": () => controller?.zoom(0.6), "-": () => controller?.zoom(1 / 0.6), "0": () => controller?.reset(),
    };
    const act = acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
}

/** Pixels of a row of a tip, and of its edges. */
const ROW = 18;
const EDGES = 14;

/** What stands under the pointer, on the side where there is room. */
function Tooltip({ hits, tooltip, width, height, isInterim }: {
    hits: Hit[]; tooltip: (line: Line, index: number) => TooltipText; width: number; height: number; isInterim: boolean;
}) {
    const [first] = hits;
    if (first === undefined) return null;
    const rows = hits.map(({ line, index }) => ({ id: line.id, color: line.colors?.[index] ?? line.color, ...tooltip(line, index) }));
    const [{ place, value, name } = { place: "", value: "", name: "" }] = rows;
    const isLeft = first.x > width / 2;
    const room = height - (rows.length === 1 ? 2 : rows.length + 1) * ROW - EDGES;
    const side = isLeft ? { right: width - first.x + 12 } : { left: first.x + 12 };
    return (
        <>
            {hits.map(({ line, x, y }, index) => (
                <span key={line.id} className="line-dot" style={{ left: x, top: y, background: rows[index]?.color }} />
            ))}
            <div className="chart-tooltip" style={{ top: Math.max(4, Math.min(first.y - 24, room)), ...side }}>
                {rows.length === 1 ? (
                    <>
                        <strong className="numbers">{isInterim && "≈ "}{value}</strong> <span className="muted">{place}</span>
                        <div className="cut"><bdi>{name.slice(0, 80)}</bdi></div>
                    </>
                ) : (
                    <>
                        <span className="muted">{place}</span>
                        {rows.map((row) => (
                            <div key={row.id} className="cut">
                                <span className="dot" style={{ background: row.color }} /> <strong className="numbers">{row.value}</strong> <bdi>{row.name.slice(0, 80)}</bdi>
                            </div>
                        ))}
                    </>
                )}
            </div>
        </>
    );
}
