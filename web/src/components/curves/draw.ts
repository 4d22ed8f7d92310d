/** Draws a chart on a canvas: two hundred curves of it within a frame. */
import { linearTicks, logTicks, categoryTicks, secondTicks, timeTicks, type Tick } from "./scales";
import { height, indexAt, isWithoutPlace, toX, toY, type AxisKind, type Line, type Projection, type View } from "./view";

export interface ChartTheme {
    text: string;
    muted: string;
    grid: string;
    font: string;
    accent: string;
}

export interface Axes {
    kind: AxisKind;
    logY: boolean;
    /** What stands at 0, 1, 2 and so on of an axis of categories. */
    categories?: string[] | undefined;
}

export function ticksOf(view: View, frame: { width: number; height: number }, { kind, logY, categories = [] }: Axes): { x: Tick[]; y: Tick[] } {
    const wide = Math.max(2, Math.floor(frame.width / 75));
    const tall = Math.max(2, Math.floor(frame.height / 45));
    const { from, to } = view.x;
    const x = kind === "time" ? timeTicks(from, to, wide) : kind === "seconds" ? secondTicks(from, to, wide)
        : kind === "category" ? categoryTicks(categories, from, to, frame.width) : linearTicks(from, to, wide, kind === "step" ? 1 : 0);
    return { x, y: logY ? logTicks(view.y.from, view.y.to, tall) : linearTicks(view.y.from, view.y.to, tall) };
}

export interface Scene extends Projection {
    ticks: { x: Tick[]; y: Tick[] };
    title: string;
    /** Of the vertical axis; missing where there is none. */
    titleY: string;
    theme: ChartTheme;
    /** The line under the pointer; the others step back. */
    highlighted: string | null;
}

/** What is drawn behind the lines; it may be kept from one picture to the next. */
export interface Backdrop {
    draw(context: CanvasRenderingContext2D, size: { width: number; height: number }, scene: Scene): void;
}

export function draw(
    context: CanvasRenderingContext2D, size: { width: number; height: number }, scene: Scene, backdrop: Backdrop,
): void {
    context.clearRect(0, 0, size.width, size.height);
    drawAxes(context, size, scene);
    const { frame, lines, highlighted } = scene;
    context.save();
    context.beginPath();
    context.rect(frame.left - 3, frame.top - 2, frame.width + 6, frame.height + 4);
    context.clip();
    context.lineJoin = "round";
    // A pixel's breadth is drawn several times as quickly as a little more.
    const width = lines.length > 20 ? 1 : 1.7;
    backdrop.draw(context, size, scene);
    for (const line of lines) {
        if (line.id !== highlighted) drawLine(context, scene, line, width, highlighted === null ? 1 : 0.25);
    }
    const front = lines.find(({ id }) => id === highlighted);
    if (front !== undefined) drawLine(context, scene, front, width + 0.8, 1);
    context.restore();
    for (const line of lines) mark(context, scene, line, highlighted === null || line.id === highlighted ? 1 : 0.25);
}

/** The values before smoothing, faintly. */
export function drawRaw(context: CanvasRenderingContext2D, scene: Scene): void {
    context.lineJoin = "round";
    for (const line of scene.lines) if (line.raw !== undefined) stroke(context, scene, line, line.raw, 1, 0.22);
}

function drawLine(context: CanvasRenderingContext2D, scene: Scene, line: Line, width: number, alpha: number): void {
    if (line.shape === "points") dots(context, scene, line, alpha);
    else stroke(context, scene, line, line.y, line.isDashed ? width - 0.4 : width, alpha);
}

function stroke(
    context: CanvasRenderingContext2D, { view, frame, logY }: Scene, line: Line, values: number[], width: number, alpha: number,
): void {
    const first = Math.max(0, indexAt(line.x, view.x.from) - 1);
    const scaleX = frame.width / (view.x.to - view.x.from);
    const scaleY = frame.height / (view.y.to - view.y.from);
    const bottom = frame.top + frame.height;
    const isStairs = line.shape === "stairs";
    const lone: [number, number][] = [];
    let length = 0;
    let last: [number, number] = [0, 0];
    const close = () => {
        if (length === 1) lone.push(last);
        length = 0;
    };
    context.beginPath();
    for (let index = first; index < line.x.length; index += 1) {
        const at = line.x[index] ?? 0;
        const value = height(values[index] ?? NaN, logY);
        if (Number.isNaN(value)) close();
        else {
            const next: [number, number] = [frame.left + (at - view.x.from) * scaleX, bottom - (value - view.y.from) * scaleY];
            if (length > 0 && isStairs) context.lineTo(next[0], last[1]);
            if (length > 0) context.lineTo(...next);
            else context.moveTo(...next);
            last = next;
            length += 1;
        }
        if (at > view.x.to) break;
    }
    close();
    context.globalAlpha = alpha;
    context.strokeStyle = line.color;
    context.lineWidth = width;
    if (line.isDashed) context.setLineDash([4, 3]);
    context.stroke();
    context.setLineDash([]);
    // A single value between gaps makes no line.
    context.fillStyle = line.color;
    for (const [x, y] of lone) {
        context.beginPath();
        context.arc(x, y, line.x.length === 1 ? 4 : width + 1, 0, 7);
        context.fill();
    }
    context.globalAlpha = 1;
}

function dots(context: CanvasRenderingContext2D, { view, frame, logY }: Scene, line: Line, alpha: number): void {
    context.globalAlpha = alpha * 0.85;
    for (let index = indexAt(line.x, view.x.from); index < line.x.length; index += 1) {
        const at = line.x[index] ?? 0;
        if (at > view.x.to) break;
        const value = height(line.y[index] ?? NaN, logY);
        if (Number.isNaN(value)) continue;
        context.fillStyle = line.colors?.[index] ?? line.color;
        context.beginPath();
        context.arc(toX(view, frame, at), toY(view, frame, value), 4, 0, 7);
        context.fill();
    }
    context.globalAlpha = 1;
}

/** What has no place on the vertical axis: infinities point beyond its ends, NaN is a cross at the bottom. */
function mark(context: CanvasRenderingContext2D, { view, frame, logY }: Scene, line: Line, alpha: number): void {
    const values = line.raw ?? line.y;
    const first = Math.max(0, indexAt(line.x, view.x.from));
    const bottom = frame.top + frame.height;
    let free = { up: -Infinity, down: -Infinity, none: -Infinity };
    context.globalAlpha = alpha;
    context.lineWidth = 1.6;
    for (let index = first; index < line.x.length; index += 1) {
        const at = line.x[index] ?? 0;
        if (at > view.x.to) break;
        const value = values[index] ?? NaN;
        if (!isWithoutPlace(line, value, logY)) continue;
        const kind = Number.isNaN(value) ? "none" : value > 0 ? "up" : "down";
        const x = toX(view, frame, at);
        // Many beside each other are one row of marks.
        if (x < free[kind] + 5) continue;
        free = { ...free, [kind]: x };
        context.fillStyle = context.strokeStyle = line.colors?.[index] ?? line.color;
        context.beginPath();
        if (kind === "none") {
            for (const side of [-1, 1]) {
                context.moveTo(x - 3 * side, bottom - 7);
                context.lineTo(x + 3 * side, bottom - 1);
            }
            context.stroke();
        } else {
            const [tip, foot] = kind === "up" ? [frame.top - 2, frame.top + 5] : [bottom + 2, bottom - 5];
            context.moveTo(x, tip);
            context.lineTo(x - 4.5, foot);
            context.lineTo(x + 4.5, foot);
            context.fill();
        }
    }
    context.globalAlpha = 1;
}

function drawAxes(
    context: CanvasRenderingContext2D, size: { height: number }, { view, frame, ticks, title, titleY, theme }: Scene,
): void {
    context.font = `11px ${theme.font}`;
    context.fillStyle = theme.muted;
    context.strokeStyle = theme.grid;
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.beginPath();
    for (const { at, label } of ticks.y) {
        const y = Math.round(toY(view, frame, at)) + 0.5;
        context.moveTo(frame.left, y);
        context.lineTo(frame.left + frame.width, y);
        context.fillText(label, frame.left - 7, y);
    }
    context.textAlign = "center";
    context.textBaseline = "top";
    let free = -Infinity;
    for (const { at, label } of ticks.x) {
        const x = Math.round(toX(view, frame, at)) + 0.5;
        context.moveTo(x, frame.top);
        context.lineTo(x, frame.top + frame.height);
        const half = context.measureText(label).width / 2;
        // Labels neither touch each other nor leave the chart.
        if (x - half < free || x + half > frame.left + frame.width + 12) continue;
        context.fillText(label, x, frame.top + frame.height + 6);
        free = x + half + 8;
    }
    context.stroke();
    context.textBaseline = "bottom";
    context.fillText(fitting(context, title, frame.width), frame.left + frame.width / 2, size.height - 1);
    if (titleY === "") return;
    context.save();
    context.translate(5, frame.top + frame.height / 2);
    context.rotate(-Math.PI / 2);
    context.textBaseline = "top";
    context.fillText(fitting(context, titleY, frame.height), 0, 0);
    context.restore();
}

/** A text as long as there is room. */
function fitting(context: CanvasRenderingContext2D, text: string, width: number): string {
    if (context.measureText(text).width <= width) return text;
    let letters = [...text];
    while (letters.length > 1 && context.measureText(`${letters.join("")}…`).width > width) letters = letters.slice(0, -1);
    return `${letters.join("")}…`;
}
