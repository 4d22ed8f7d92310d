/** A canvas with curves that a person looks around in: hover, zoom by dragging, pan, keys. */
import { Behind } from "./behind";
import { draw, ticksOf, type Axes, type Look, type Picture } from "./draw";
import {
    LEAST, fittingY, fromX, fromY, nearest, valuesAt, wholeX, withoutPlace, type Frame, type Hit, type Line, type Span, type View,
} from "./view";

export interface Setting extends Axes {
    lines: Line[];
    /** Of the horizontal axis; missing or empty where it explains itself. */
    title?: string | undefined;
    titleY?: string | undefined;
    /** The ends of the horizontal axis, where they are not those of the lines. */
    ends?: Span | undefined;
    /** The vertical axis begins at zero. */
    fromZero?: boolean | undefined;
    /** Dragging chooses a part of both axes. */
    isBox?: boolean | undefined;
    /** The values of all lines are told at once. */
    tellsAll?: boolean | undefined;
    /** The lines move with the hand that smooths them: the axis stays until they rest. */
    isInterim?: boolean | undefined;
}

export interface Callbacks {
    /** The part of the horizontal axis that is seen now; `null` for all. Told when the hand rests. */
    onRange: (range: [number, number] | null) => void;
    /** The values under the pointer. */
    onHits: (hits: Hit[]) => void;
}

/** Pixels that a hand drags at least when it means an axis. */
const LEAST_DRAG = 6;
/** A box so flat is meant along one axis only. */
const FLAT = 16;
/** Milliseconds without a movement after which finer points are asked for. */
const REST = 180;

/** What a hand does between pressing and letting go. */
export interface Hold {
    move: (x: number, y: number) => void;
    end: (x: number, y: number) => void;
}

export class Stage {
    private setting: Setting = { lines: [], kind: "step", logY: false };
    /** `null` follows the curves as they grow. */
    private part: Span | null = null;
    /** Chosen with a box; `null` fits what is seen. */
    private partY: Span | null = null;
    /** Kept while the hand moves, so that the curves do not jump. */
    private heldY: Span | null = null;
    private lit: string | null = null;
    private picture: Picture | null = null;
    private isWaiting = 0;
    /** Where the pointer rests: what stands under it is said anew when the curves grow. */
    private pointer: [number, number] | null = null;
    private isNew = false;
    private resting: number | undefined;
    private look: Look | null = null;
    private readonly behind = new Behind();
    private readonly context: CanvasRenderingContext2D | null;

    constructor(
        private readonly canvas: HTMLCanvasElement, private readonly box: HTMLElement,
        private readonly selection: HTMLElement, private readonly callbacks: Callbacks,
    ) {
        this.context = canvas.getContext("2d");
    }

    show(setting: Setting): void {
        const before = this.setting;
        const isOther = setting.kind !== before.kind || setting.title !== before.title || setting.titleY !== before.titleY;
        // A part that the lines have left, since they go with the time, shows nothing any more.
        const isLeft = setting.ends !== undefined && this.part !== null && this.part.to <= setting.ends.from;
        if (this.part !== null && (isOther || isLeft)) {
            this.part = this.partY = null;
            this.callbacks.onRange(null);
        }
        if (setting.logY !== before.logY) this.heldY = this.partY = null;
        this.setting = setting;
        this.isNew = true;
        this.redraw();
    }

    /** The theme or the size changed. */
    refresh(): void {
        this.look = null;
        this.redraw();
    }

    stop(): void {
        window.cancelAnimationFrame(this.isWaiting);
        window.clearTimeout(this.resting);
    }

    redraw(): void {
        if (this.isWaiting !== 0) return;
        this.isWaiting = window.requestAnimationFrame(() => {
            this.isWaiting = 0;
            this.paint();
        });
    }

    private paint(): void {
        const { canvas, context } = this;
        const width = this.box.clientWidth;
        const height = this.box.clientHeight;
        if (context === null || width < 40 || height < 40) return;
        const ratio = window.devicePixelRatio || 1;
        if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
            canvas.width = Math.round(width * ratio);
            canvas.height = Math.round(height * ratio);
        }
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        this.picture = this.compose(context, width, height);
        draw(context, { width, height }, this.picture, this.behind);
        // For who cannot see the canvas: a test, or a person's own script.
        this.box.dataset.lines = String(this.setting.lines.reduce((sum, { raw }) => sum + (raw === undefined ? 1 : 2), 0));
        this.box.dataset.marks = String(withoutPlace(this.setting.lines, this.setting.logY));
        if (this.isNew && this.pointer !== null) this.hover(...this.pointer);
        this.isNew = false;
        this.box.dataset.zoomed = [this.part, this.partY].flatMap((part) => (part === null ? [] : [part.from, part.to])).join(" ");
    }

    private compose(context: CanvasRenderingContext2D, width: number, height: number): Picture {
        const { lines, logY, title = "", titleY = "", fromZero, isInterim } = this.setting;
        const look = this.look ??= readLook();
        const x = this.part ?? this.whole();
        const before = isInterim ? this.picture?.view.y : undefined;
        const view: View = { x, y: this.partY ?? this.heldY ?? before ?? fittingY(lines, x, logY, fromZero) };
        const tall = Math.max(10, height - 10 - (title === "" ? 22 : 36));
        const labels = ticksOf(view, { width, height: tall }, this.setting).y;
        context.font = `11px ${look.font}`;
        const widest = Math.max(18, ...labels.map(({ label }) => context.measureText(label).width));
        const frame: Frame = { left: Math.ceil(widest) + (titleY === "" ? 14 : 32), top: 10, width: 0, height: tall };
        frame.width = Math.max(10, width - frame.left - 14);
        return { lines, view, frame, ticks: ticksOf(view, frame, this.setting), logY, title, titleY, look, lit: this.lit };
    }

    private whole(): Span {
        return this.setting.ends ?? wholeX(this.setting.lines);
    }

    // What the hand does.

    hover(x: number, y: number): void {
        this.pointer = [x, y];
        const { lines, tellsAll } = this.setting;
        if (this.picture === null) return this.callbacks.onHits([]);
        if (tellsAll) return this.callbacks.onHits(valuesAt(this.picture, x));
        const hit = nearest(this.picture, x, y);
        this.callbacks.onHits(hit === null ? [] : [hit]);
        // Points stand beside each other: none of them hides another.
        this.light(hit !== null && lines.length > 1 && lines.every(({ shape }) => shape !== "points") ? hit.line.id : null);
    }

    leave(): void {
        this.pointer = null;
        this.callbacks.onHits([]);
        this.light(null);
    }

    private light(lit: string | null): void {
        if (lit === this.lit) return;
        this.lit = lit;
        this.redraw();
    }

    /** Begins to pan or to choose a part; answers what to do with each move, and at the end. */
    grab(startX: number, startY: number, isPan: boolean): Hold {
        this.leave();
        const picture = this.picture;
        if (picture === null) return { move: () => undefined, end: () => undefined };
        return isPan ? this.grabToPan(picture, startX, startY) : this.grabToChoose(picture, startX, startY);
    }

    private grabToPan({ view, frame }: Picture, startX: number, startY: number): Hold {
        this.heldY = view.y;
        const { partY } = this;
        return {
            move: (x, y) => {
                if (partY !== null) this.partY = shifted(partY, (y - startY) / frame.height);
                this.see(shifted(view.x, (startX - x) / frame.width));
            },
            end: () => this.rest(),
        };
    }

    private grabToChoose({ view, frame }: Picture, startX: number, startY: number): Hold {
        /** The corners of what is chosen; a box that is flat goes over the whole of the other axis. */
        const chosen = (x: number, y: number) => {
            const isWide = Math.abs(x - startX) >= FLAT;
            const isTall = Math.abs(y - startY) >= FLAT;
            const both = this.setting.isBox === true && isTall;
            const across = !both || isWide ? [startX, x] : [-Infinity, Infinity];
            const along = both ? [startY, y] : [-Infinity, Infinity];
            const clamp = (values: number[], from: number, size: number) =>
                values.map((value) => Math.min(from + size, Math.max(from, value))).sort((a, b) => a - b) as [number, number];
            return { x: clamp(across, frame.left, frame.width), y: clamp(along, frame.top, frame.height), both };
        };
        return {
            move: (x, y) => {
                const part = chosen(x, y);
                const style = this.selection.style;
                style.display = "block";
                style.left = `${part.x[0]}px`;
                style.width = `${part.x[1] - part.x[0]}px`;
                style.top = `${part.y[0]}px`;
                style.height = `${part.y[1] - part.y[0]}px`;
            },
            end: (x, y) => {
                this.selection.style.display = "none";
                const part = chosen(x, y);
                if (part.x[1] - part.x[0] < LEAST_DRAG) return this.hover(startX, startY);
                if (part.both) this.partY = { from: fromY(view, frame, part.y[1]), to: fromY(view, frame, part.y[0]) };
                this.see({ from: fromX(view, frame, part.x[0]), to: fromX(view, frame, part.x[1]) });
                this.rest();
            },
        };
    }

    pan(share: number): void {
        if (this.picture === null) return;
        this.see(shifted(this.picture.view.x, share));
        this.restSoon();
    }

    /** Shows `factor` times as much, round a place on the canvas or round the middle. */
    zoom(factor: number, around?: number): void {
        if (this.picture === null) return;
        const { frame, view: { x } } = this.picture;
        const share = around === undefined ? 0.5 : Math.min(1, Math.max(0, (around - frame.left) / frame.width));
        const width = (x.to - x.from) * factor;
        const whole = this.whole();
        if (width >= (whole.to - whole.from) * 1.5) return this.reset();
        const from = x.from + (x.to - x.from) * share - width * share;
        if (this.partY !== null) this.partY = scaled(this.partY, factor);
        this.see({ from, to: from + width });
        this.restSoon();
    }

    reset(): void {
        this.part = this.partY = null;
        this.heldY = null;
        window.clearTimeout(this.resting);
        this.callbacks.onRange(null);
        this.redraw();
    }

    private see(part: Span): void {
        if (!(part.to - part.from > Math.max(Math.abs(part.from) * 1e-12, Math.abs(part.to) * 1e-12, LEAST))) return;
        this.part = part;
        this.redraw();
    }

    private restSoon(): void {
        window.clearTimeout(this.resting);
        this.resting = window.setTimeout(() => this.rest(), REST);
    }

    private rest(): void {
        this.heldY = null;
        this.redraw();
        if (this.part !== null) this.callbacks.onRange([this.part.from, this.part.to]);
    }
}

/** A part moved by a share of its width. */
function shifted({ from, to }: Span, share: number): Span {
    const by = (to - from) * share;
    return { from: from + by, to: to + by };
}

function scaled({ from, to }: Span, factor: number): Span {
    const middle = from + (to - from) / 2;
    const half = ((to - from) / 2) * factor;
    return { from: middle - half, to: middle + half };
}

function readLook(): Look {
    const style = getComputedStyle(document.documentElement);
    const of = (name: string) => style.getPropertyValue(name).trim();
    return { text: of("--text"), muted: of("--muted"), grid: of("--line"), font: of("--font"), accent: of("--accent") };
}
