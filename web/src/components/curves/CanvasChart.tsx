import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { fullTime, duration, number } from "../../core/format";
import { Stage, type Setting } from "./stage";
import type { Hit, Line } from "./view";

/** What is told of a value under the pointer. */
export interface Told {
    value: string;
    /** Where it stands along the horizontal axis. */
    place: string;
    name: string;
}

export interface CanvasChartProps extends Setting {
    label: string;
    tall?: boolean;
    tell?: ((line: Line, index: number) => Told) | undefined;
    /** The part of the horizontal axis that is seen after zooming; `null` for all. */
    onRange: (range: [number, number] | null) => void;
    /** A number that grows shows everything again. */
    resets?: number;
}

/**
 * Curves or points on a canvas of our own: hundreds of curves move within a frame. Dragging zooms, with Shift
 * it pans; double-click shows everything; so do keys.
 */
export function CanvasChart({ label, tall = false, tell, onRange, resets = 0, ...setting }: CanvasChartProps) {
    const box = useRef<HTMLDivElement>(null);
    const canvas = useRef<HTMLCanvasElement>(null);
    const selection = useRef<HTMLDivElement>(null);
    const stage = useRef<Stage | null>(null);
    const [hits, setHits] = useState<Hit[]>([]);
    const range = useRef(onRange);
    range.current = onRange;

    useEffect(() => {
        if (canvas.current === null || box.current === null || selection.current === null) return;
        const made = new Stage(canvas.current, box.current, selection.current, {
            onRange: (part) => range.current(part),
            // Many movements hit nothing: they change nothing.
            onHits: (next) => setHits((before) => (before.length === 0 && next.length === 0 ? before : next)),
        });
        stage.current = made;
        const watcher = new ResizeObserver(() => made.refresh());
        watcher.observe(box.current);
        const scheme = window.matchMedia("(prefers-color-scheme: dark)");
        const changed = () => made.refresh();
        scheme.addEventListener("change", changed);
        return () => {
            made.stop();
            watcher.disconnect();
            scheme.removeEventListener("change", changed);
            stage.current = null;
        };
    }, []);
    const { lines, kind, names, logY, title, titleY, ends, fromZero, isBox, tellsAll, isInterim } = setting;
    useEffect(
        () => stage.current?.show({ lines, kind, names, logY, title, titleY, ends, fromZero, isBox, tellsAll, isInterim }),
        [lines, kind, names, logY, title, titleY, ends, fromZero, isBox, tellsAll, isInterim]);
    useEffect(() => {
        if (resets > 0) stage.current?.reset();
    }, [resets]);

    return (
        <div ref={box} className={`line-chart ${tall ? "tall" : ""}`} role="img" aria-label={label} tabIndex={0}
            data-interim={isInterim || undefined} aria-busy={isInterim || undefined}
            onPointerDown={(event) => grab(event, stage.current)}
            onPointerMove={(event) => event.buttons === 0 && stage.current?.hover(...placeOf(event))}
            onPointerLeave={() => stage.current?.leave()}
            onDoubleClick={() => stage.current?.reset()}
            onKeyDown={(event) => onKey(event, stage.current)}>
            <canvas ref={canvas} />
            <div ref={selection} className="line-selection" />
            {hits.length > 0 && (
                <Tip hits={hits} tell={tell ?? ((line, index) => told(line, index, setting))} isInterim={isInterim === true}
                    width={box.current?.clientWidth ?? 300} height={box.current?.clientHeight ?? 240} />
            )}
        </div>
    );
}

function told(line: Line, index: number, { kind, names }: Setting): Told {
    const at = line.x[index] ?? 0;
    const place = kind === "time" ? fullTime(at) : kind === "seconds" ? duration(at * 1000)
        : kind === "names" ? names?.[at] ?? "" : kind === "number" ? number(at) : `step ${number(at)}`;
    return { value: number(line.y[index]), place, name: line.name };
}

function placeOf(event: PointerEvent<HTMLElement>): [number, number] {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
}

function grab(event: PointerEvent<HTMLElement>, stage: Stage | null): void {
    if (stage === null || event.button !== 0) return;
    const element = event.currentTarget;
    const { left, top } = element.getBoundingClientRect();
    const hold = stage.grab(event.clientX - left, event.clientY - top, event.shiftKey);
    element.setPointerCapture(event.pointerId);
    const move = (moved: globalThis.PointerEvent) => hold.move(moved.clientX - left, moved.clientY - top);
    const end = (ended: globalThis.PointerEvent) => {
        hold.end(ended.clientX - left, ended.clientY - top);
        element.removeEventListener("pointermove", move);
        element.removeEventListener("pointerup", end);
        element.removeEventListener("pointercancel", end);
    };
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", end);
    element.addEventListener("pointercancel", end);
}

function onKey(event: KeyboardEvent<HTMLElement>, stage: Stage | null): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts: Record<string, () => void> = {
        ArrowLeft: () => stage?.pan(-0.2), ArrowRight: () => stage?.pan(0.2), "+": () => stage?.zoom(0.6),
        "=": () => stage?.zoom(0.6), "-": () => stage?.zoom(1 / 0.6), "0": () => stage?.reset(),
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
function Tip({ hits, tell, width, height, isInterim }: {
    hits: Hit[]; tell: (line: Line, index: number) => Told; width: number; height: number; isInterim: boolean;
}) {
    const [first] = hits;
    if (first === undefined) return null;
    const rows = hits.map(({ line, index }) => ({ id: line.id, color: line.colors?.[index] ?? line.color, ...tell(line, index) }));
    const [{ place, value, name } = { place: "", value: "", name: "" }] = rows;
    const isLeft = first.x > width / 2;
    const room = height - (rows.length === 1 ? 2 : rows.length + 1) * ROW - EDGES;
    const side = isLeft ? { right: width - first.x + 12 } : { left: first.x + 12 };
    return (
        <>
            {hits.map(({ line, x, y }, index) => (
                <span key={line.id} className="line-dot" style={{ left: x, top: y, background: rows[index]?.color }} />
            ))}
            <div className="line-tip" style={{ top: Math.max(4, Math.min(first.y - 24, room)), ...side }}>
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
