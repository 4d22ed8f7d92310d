import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { fullTime, duration, number } from "../../core/format";
import type { AxisKind, Line, Near } from "./draw";
import { Stage } from "./stage";

export interface LineChartProps {
    lines: Line[];
    kind: AxisKind;
    logY: boolean;
    label: string;
    title: string;
    tall?: boolean;
    /** The part of the horizontal axis that is seen after zooming; `null` for all. */
    onRange: (range: [number, number] | null) => void;
    /** A number that grows shows everything again. */
    resets?: number;
    /** What is drawn stands about where the server's answer will. */
    isInterim?: boolean;
}

/**
 * Curves on a canvas of our own: hundreds of them move within a frame. Dragging zooms, with Shift it
 * pans; double-click shows everything; so do keys.
 */
export function LineChart({ lines, kind, logY, label, title, tall = false, onRange, resets = 0, isInterim = false }: LineChartProps) {
    const box = useRef<HTMLDivElement>(null);
    const canvas = useRef<HTMLCanvasElement>(null);
    const selection = useRef<HTMLDivElement>(null);
    const stage = useRef<Stage | null>(null);
    const [near, setNear] = useState<Near | null>(null);
    const range = useRef(onRange);
    range.current = onRange;

    useEffect(() => {
        if (canvas.current === null || box.current === null || selection.current === null) return;
        const made = new Stage(canvas.current, box.current, selection.current, {
            onRange: (part) => range.current(part),
            onNear: setNear,
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
    useEffect(() => stage.current?.show({ lines, kind, logY, title, isInterim }), [lines, kind, logY, title, isInterim]);
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
            {near !== null && <Tip near={near} kind={kind} isInterim={isInterim} width={box.current?.clientWidth ?? 300} />}
        </div>
    );
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
        hold.end(ended.clientX - left);
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

/** What stands under the pointer, on the side where there is room. */
function Tip({ near, kind, width, isInterim }: { near: Near; kind: AxisKind; width: number; isInterim: boolean }) {
    const at = near.line.x[near.index] ?? 0;
    const place = kind === "time" ? fullTime(at) : kind === "seconds" ? duration(at * 1000) : `step ${number(at)}`;
    const isLeft = near.x > width / 2;
    return (
        <>
            <span className="line-dot" style={{ left: near.x, top: near.y, background: near.line.color }} />
            <div className="line-tip" style={{ top: Math.max(4, near.y - 24), ...(isLeft ? { right: width - near.x + 12 } : { left: near.x + 12 }) }}>
                <strong className="numbers">{isInterim && "≈ "}{number(near.line.y[near.index])}</strong> <span className="muted">{place}</span>
                <div className="cut"><bdi>{near.line.name.slice(0, 80)}</bdi></div>
            </div>
        </>
    );
}
