/** Draws curves on a canvas: two hundred of them within a frame. */
import { linearTicks, logTicks, secondTicks, timeTicks, type Tick } from "./scales";

export interface Line {
    id: string;
    name: string;
    color: string;
    /** Rising. */
    x: number[];
    /** What is drawn; a value that is no number leaves a gap. */
    y: number[];
    /** Drawn faintly behind: the values before smoothing. */
    raw?: number[];
}

export type AxisKind = "step" | "time" | "seconds";

export interface Span {
    from: number;
    to: number;
}

/** What is seen: parts of both axes; of a logarithmic axis its exponents. */
export interface View {
    x: Span;
    y: Span;
}

export interface Frame {
    left: number;
    top: number;
    width: number;
    height: number;
}

export interface Look {
    text: string;
    muted: string;
    grid: string;
    font: string;
    accent: string;
}

/** All that is drawn along the horizontal axis. */
export function wholeX(lines: Line[]): Span {
    let from = Infinity;
    let to = -Infinity;
    for (const { x } of lines) {
        from = Math.min(from, x[0] ?? Infinity);
        to = Math.max(to, x[x.length - 1] ?? -Infinity);
    }
    if (from > to) return { from: 0, to: 1 };
    return from === to ? { from: from - 1, to: to + 1 } : { from, to };
}

/** The values that stand within a part of the horizontal axis, with a little room. */
export function fittingY(lines: Line[], x: Span, logY: boolean): Span {
    let from = Infinity;
    let to = -Infinity;
    for (const line of lines) {
        const first = Math.max(0, indexAt(line.x, x.from) - 1);
        for (let index = first; index < line.x.length; index += 1) {
            const value = height(line.y[index] ?? NaN, logY);
            if (value < from) from = value;
            if (value > to) to = value;
            if ((line.x[index] ?? 0) > x.to) break;
        }
    }
    if (from > to) return { from: 0, to: 1 };
    // What differs only by rounding is one height; and an axis must have an end.
    const isFlat = to - from <= Math.max(Math.abs(from), Math.abs(to)) * 1e-12;
    const room = isFlat ? Math.abs(from) * 0.1 || 1 : (to - from) * 0.05;
    const most = Number.MAX_VALUE / 4;
    return { from: Math.max(from - room, -most), to: Math.min(to + room, most) };
}

/** The first index whose x is at least `at`. */
export function indexAt(x: number[], at: number): number {
    let low = 0;
    let high = x.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if ((x[middle] ?? 0) < at) low = middle + 1;
        else high = middle;
    }
    return low;
}

/** A value as the vertical axis has it; NaN where it has no place. */
export function height(value: number, logY: boolean): number {
    if (!Number.isFinite(value)) return NaN;
    return logY ? (value > 0 ? Math.log10(value) : NaN) : value;
}

export function toX(view: View, frame: Frame, at: number): number {
    return frame.left + ((at - view.x.from) / (view.x.to - view.x.from)) * frame.width;
}

export function toY(view: View, frame: Frame, at: number): number {
    return frame.top + frame.height - ((at - view.y.from) / (view.y.to - view.y.from)) * frame.height;
}

export function ticksOf(view: View, frame: { width: number; height: number }, kind: AxisKind, logY: boolean): { x: Tick[]; y: Tick[] } {
    const wide = Math.max(2, Math.floor(frame.width / 75));
    const tall = Math.max(2, Math.floor(frame.height / 45));
    const { from, to } = view.x;
    return {
        x: kind === "time" ? timeTicks(from, to, wide) : kind === "seconds" ? secondTicks(from, to, wide) : linearTicks(from, to, wide, 1),
        y: logY ? logTicks(view.y.from, view.y.to, tall) : linearTicks(view.y.from, view.y.to, tall),
    };
}

export interface Picture {
    lines: Line[];
    view: View;
    frame: Frame;
    ticks: { x: Tick[]; y: Tick[] };
    logY: boolean;
    title: string;
    look: Look;
    /** The line under the pointer; the others step back. */
    lit: string | null;
}

/** What is drawn behind the lines; it may be kept from one picture to the next. */
export interface Backdrop {
    draw(context: CanvasRenderingContext2D, size: { width: number; height: number }, picture: Picture): void;
}

export function draw(
    context: CanvasRenderingContext2D, size: { width: number; height: number }, picture: Picture, backdrop: Backdrop,
): void {
    context.clearRect(0, 0, size.width, size.height);
    drawAxes(context, size, picture);
    const { frame, lines, lit } = picture;
    context.save();
    context.beginPath();
    context.rect(frame.left - 3, frame.top - 2, frame.width + 6, frame.height + 4);
    context.clip();
    context.lineJoin = "round";
    // A pixel's breadth is drawn several times as quickly as a little more.
    const width = lines.length > 20 ? 1 : 1.7;
    backdrop.draw(context, size, picture);
    for (const line of lines) {
        if (line.id !== lit) stroke(context, picture, line, line.y, width, lit === null ? 1 : 0.25);
    }
    const front = lines.find(({ id }) => id === lit);
    if (front !== undefined) stroke(context, picture, front, front.y, width + 0.8, 1);
    context.restore();
    for (const line of lines) mark(context, picture, line, lit === null || line.id === lit ? 1 : 0.25);
}

/** The values before smoothing, faintly. */
export function drawRaw(context: CanvasRenderingContext2D, picture: Picture): void {
    context.lineJoin = "round";
    for (const line of picture.lines) if (line.raw !== undefined) stroke(context, picture, line, line.raw, 1, 0.22);
}

function stroke(
    context: CanvasRenderingContext2D, { view, frame, logY }: Picture, line: Line, values: number[], width: number, alpha: number,
): void {
    const first = Math.max(0, indexAt(line.x, view.x.from) - 1);
    const scaleX = frame.width / (view.x.to - view.x.from);
    const scaleY = frame.height / (view.y.to - view.y.from);
    const bottom = frame.top + frame.height;
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
            last = [frame.left + (at - view.x.from) * scaleX, bottom - (value - view.y.from) * scaleY];
            if (length > 0) context.lineTo(...last);
            else context.moveTo(...last);
            length += 1;
        }
        if (at > view.x.to) break;
    }
    close();
    context.globalAlpha = alpha;
    context.strokeStyle = line.color;
    context.lineWidth = width;
    context.stroke();
    // A single value between gaps makes no line.
    context.fillStyle = line.color;
    for (const [x, y] of lone) {
        context.beginPath();
        context.arc(x, y, line.x.length === 1 ? 4 : width + 1, 0, 7);
        context.fill();
    }
    context.globalAlpha = 1;
}

/** What has no place on the vertical axis: infinities point beyond its ends, NaN is a cross at the bottom. */
function mark(context: CanvasRenderingContext2D, { view, frame, logY }: Picture, line: Line, alpha: number): void {
    const values = line.raw ?? line.y;
    const first = Math.max(0, indexAt(line.x, view.x.from));
    const bottom = frame.top + frame.height;
    let free = { up: -Infinity, down: -Infinity, none: -Infinity };
    context.globalAlpha = alpha;
    context.fillStyle = context.strokeStyle = line.color;
    context.lineWidth = 1.6;
    for (let index = first; index < line.x.length; index += 1) {
        const at = line.x[index] ?? 0;
        if (at > view.x.to) break;
        const value = values[index] ?? NaN;
        if (!Number.isNaN(height(value, logY))) continue;
        const kind = value === Infinity ? "up" : Number.isNaN(value) ? "none" : "down";
        const x = toX(view, frame, at);
        // Many beside each other are one row of marks.
        if (x < free[kind] + 5) continue;
        free = { ...free, [kind]: x };
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

/** How many values of the lines are marked so, for who cannot see the canvas. */
export function withoutPlace(lines: Line[], logY: boolean): number {
    return lines.reduce((sum, line) =>
        sum + (line.raw ?? line.y).filter((value) => Number.isNaN(height(value, logY))).length, 0);
}

function drawAxes(context: CanvasRenderingContext2D, size: { height: number }, { view, frame, ticks, title, look }: Picture): void {
    context.font = `11px ${look.font}`;
    context.fillStyle = look.muted;
    context.strokeStyle = look.grid;
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
    context.fillText(title, frame.left + frame.width / 2, size.height - 1);
}

export interface Near {
    line: Line;
    index: number;
    x: number;
    y: number;
}

/** The value nearest to a place on the canvas, within 40 pixels. */
export function nearest({ lines, view, frame, logY }: Picture, x: number, y: number): Near | null {
    const at = view.x.from + ((x - frame.left) / frame.width) * (view.x.to - view.x.from);
    let best: Near | null = null;
    let least = 40 * 40;
    for (const line of lines) {
        const right = indexAt(line.x, at);
        for (let index = Math.max(0, right - 2); index < Math.min(line.x.length, right + 2); index += 1) {
            const value = height(line.y[index] ?? NaN, logY);
            if (Number.isNaN(value)) continue;
            const px = toX(view, frame, line.x[index] ?? 0);
            const py = toY(view, frame, value);
            if (px < frame.left - 1 || px > frame.left + frame.width + 1) continue;
            const distance = (px - x) ** 2 + (py - y) ** 2;
            if (distance < least) {
                least = distance;
                best = { line, index, x: px, y: py };
            }
        }
    }
    return best;
}
