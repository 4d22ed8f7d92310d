/** Where values stand on a chart: what is seen of both axes, and which value is under the pointer. */

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
    /** A line where missing. Stairs hold each value until the next. */
    shape?: "line" | "stairs" | "points";
    isDashed?: boolean;
    /** One a point, where points differ. */
    colors?: string[];
    /** NaN is only a gap: nothing was measured there. */
    isSparse?: boolean;
}

/** What stands along the horizontal axis; categories are texts, at 0, 1, 2 and so on. */
export type AxisKind = "step" | "time" | "seconds" | "number" | "category";

export interface Extent {
    from: number;
    to: number;
}

/** What is seen: parts of both axes; of a logarithmic axis its exponents. */
export interface View {
    x: Extent;
    y: Extent;
}

export interface PlotArea {
    left: number;
    top: number;
    width: number;
    height: number;
}

/** What has to be known to find the place of a value. */
export interface Projection {
    lines: Line[];
    view: View;
    frame: PlotArea;
    logY: boolean;
}

/** Axes end here: the width between two ends must be a number. What is greater is marked as infinities are. */
const MOST = Number.MAX_VALUE / 4;
/** The least width of an axis: pixels divided by it must be a number. */
export const LEAST = 1e-300;

function bounded({ from, to }: Extent): Extent {
    return { from: Math.min(Math.max(from, -MOST), MOST * 0.9), to: Math.max(Math.min(to, MOST), -MOST * 0.9) };
}

/** All that is drawn along the horizontal axis; points have room beside them. */
export function xExtent(lines: Line[]): Extent {
    let from = Infinity;
    let to = -Infinity;
    for (const { x } of lines) {
        from = Math.min(from, x[0] ?? Infinity);
        to = Math.max(to, x[x.length - 1] ?? -Infinity);
    }
    if (from > to) return { from: 0, to: 1 };
    ({ from, to } = bounded({ from, to }));
    const room = to - from < LEAST ? Math.max(1, Math.abs(from) * 1e-9) : lines.some(({ shape }) => shape === "points") ? (to - from) * 0.03 : 0;
    return bounded({ from: from - room, to: to + room });
}

/** The values that stand within a part of the horizontal axis, with a little room. */
export function yExtent(lines: Line[], x: Extent, logY: boolean, includeZero = false): Extent {
    let from = Infinity;
    let to = -Infinity;
    for (const line of lines) {
        // The line that comes into the part, and the one that leaves it, are seen; points beside it are not.
        const beside = line.shape === "points" ? 0 : 1;
        const first = Math.max(0, indexAt(line.x, x.from) - beside);
        for (let index = first; index < line.x.length; index += 1) {
            const isBeyond = (line.x[index] ?? 0) > x.to;
            if (isBeyond && beside === 0) break;
            const value = height(line.y[index] ?? NaN, logY);
            if (value < from) from = value;
            if (value > to) to = value;
            if (isBeyond) break;
        }
    }
    if (from > to) return { from: 0, to: 1 };
    if (includeZero && !logY) [from, to] = [Math.min(0, from), Math.max(0, to)];
    // What differs only by rounding is one height; and an axis must have an end.
    const size = Math.max(Math.abs(from), Math.abs(to));
    const isFlat = to - from <= Math.max(size * 1e-12, LEAST);
    const room = isFlat ? (size < LEAST * 10 ? 1 : size * 0.1) : (to - from) * 0.05;
    return bounded({
        from: includeZero && !logY && from === 0 ? 0 : from - room,
        to: includeZero && !logY && to === 0 && !isFlat ? 0 : to + room,
    });
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
    if (logY) return value > 0 && value < Infinity ? Math.log10(value) : NaN;
    return Math.abs(value) <= MOST ? value : NaN;
}

export function toX(view: View, frame: PlotArea, at: number): number {
    return frame.left + ((at - view.x.from) / (view.x.to - view.x.from)) * frame.width;
}

export function toY(view: View, frame: PlotArea, at: number): number {
    return frame.top + frame.height - ((at - view.y.from) / (view.y.to - view.y.from)) * frame.height;
}

export function fromX(view: View, frame: PlotArea, pixel: number): number {
    return view.x.from + ((pixel - frame.left) / frame.width) * (view.x.to - view.x.from);
}

export function fromY(view: View, frame: PlotArea, pixel: number): number {
    return view.y.from + ((frame.top + frame.height - pixel) / frame.height) * (view.y.to - view.y.from);
}

/** Whether a value is drawn as a mark at an end of the vertical axis. */
export function isWithoutPlace(line: Line, value: number, logY: boolean): boolean {
    return Number.isNaN(height(value, logY)) && !(line.isSparse === true && Number.isNaN(value));
}

/** How many values of the lines are marked so, for who cannot see the canvas. */
export function withoutPlace(lines: Line[], logY: boolean): number {
    return lines.reduce((sum, line) =>
        sum + (line.raw ?? line.y).filter((value) => isWithoutPlace(line, value, logY)).length, 0);
}

/** A value under the pointer, and where it stands on the canvas. */
export interface Hit {
    line: Line;
    index: number;
    x: number;
    y: number;
}

/** Pixels within which a value counts as pointed at. */
const REACH = 40;

/** The value nearest to a place on the canvas. */
export function nearest({ lines, view, frame, logY }: Projection, x: number, y: number): Hit | null {
    const at = fromX(view, frame, x);
    const reach = (REACH / frame.width) * (view.x.to - view.x.from);
    let best: Hit | null = null;
    let least = REACH * REACH;
    for (const line of lines) {
        const right = indexAt(line.x, at);
        // Along a line the next points are the nearest; of a cloud any of them may be.
        const [first, end] = line.shape === "points"
            ? [indexAt(line.x, at - reach), indexAt(line.x, at + reach) + 1] : [right - 2, right + 2];
        for (let index = Math.max(0, first); index < Math.min(line.x.length, end); index += 1) {
            const value = height(line.y[index] ?? NaN, logY);
            if (Number.isNaN(value)) continue;
            const px = toX(view, frame, line.x[index] ?? 0);
            const py = toY(view, frame, value);
            if (px < frame.left - 1 || px > frame.left + frame.width + 1 || py < frame.top - 1 || py > frame.top + frame.height + 1) continue;
            const distance = (px - x) ** 2 + (py - y) ** 2;
            if (distance < least) {
                least = distance;
                best = { line, index, x: px, y: py };
            }
        }
    }
    return best;
}

/** The values of all lines at the place along the horizontal axis that is nearest to the pointer. */
export function valuesAt({ lines, view, frame, logY }: Projection, x: number): Hit[] {
    const at = fromX(view, frame, x);
    let place = NaN;
    for (const line of lines) {
        const right = indexAt(line.x, at);
        for (const index of [right - 1, right]) {
            const each = line.x[index];
            if (each === undefined || Number.isNaN(height(line.y[index] ?? NaN, logY))) continue;
            if (!(Math.abs(each - at) >= Math.abs(place - at))) place = each;
        }
    }
    const px = toX(view, frame, place);
    if (!(Math.abs(px - x) <= REACH) || px < frame.left - 1 || px > frame.left + frame.width + 1) return [];
    return lines.flatMap((line): Hit[] => {
        const index = indexAt(line.x, place);
        const value = height(line.y[index] ?? NaN, logY);
        return line.x[index] !== place || Number.isNaN(value) ? [] : [{ line, index, x: px, y: toY(view, frame, value) }];
    });
}
