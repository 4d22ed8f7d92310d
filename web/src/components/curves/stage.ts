/** A canvas with curves that a person looks around in: hover, zoom by dragging, pan, keys. */
import { Behind } from "./behind";
import {
    draw, fittingY, nearest, ticksOf, wholeX, withoutPlace,
    type AxisKind, type Frame, type Line, type Look, type Near, type Picture, type Span, type View,
} from "./draw";

export interface Setting {
    lines: Line[];
    kind: AxisKind;
    logY: boolean;
    title: string;
    /** The lines move with the hand that smooths them: the axis stays until they rest. */
    isInterim: boolean;
}

export interface Callbacks {
    /** The part of the horizontal axis that is seen now; `null` for all. Told when the hand rests. */
    onRange: (range: [number, number] | null) => void;
    onNear: (near: Near | null) => void;
}

/** Milliseconds without a movement after which finer points are asked for. */
const REST = 180;

export class Stage {
    private setting: Setting = { lines: [], kind: "step", logY: false, title: "", isInterim: false };
    /** `null` follows the curves as they grow. */
    private part: Span | null = null;
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
        if (setting.kind !== this.setting.kind) this.part = null;
        if (setting.logY !== this.setting.logY) this.heldY = null;
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
        this.box.dataset.zoomed = this.part === null ? "" : `${this.part.from} ${this.part.to}`;
    }

    private compose(context: CanvasRenderingContext2D, width: number, height: number): Picture {
        const { lines, kind, logY, title, isInterim } = this.setting;
        const look = this.look ??= readLook();
        const x = this.part ?? wholeX(lines);
        const before = isInterim ? this.picture?.view.y : undefined;
        const view: View = { x, y: this.heldY ?? before ?? fittingY(lines, x, logY) };
        const tall = Math.max(10, height - 10 - 36);
        const labels = ticksOf(view, { width, height: tall }, kind, logY).y;
        context.font = `11px ${look.font}`;
        const widest = Math.max(18, ...labels.map(({ label }) => context.measureText(label).width));
        const frame: Frame = { left: Math.ceil(widest) + 14, top: 10, width: 0, height: tall };
        frame.width = Math.max(10, width - frame.left - 14);
        return { lines, view, frame, ticks: ticksOf(view, frame, kind, logY), logY, title, look, lit: this.lit };
    }

    // What the hand does.

    hover(x: number, y: number): void {
        this.pointer = [x, y];
        const near = this.picture === null ? null : nearest(this.picture, x, y);
        const lit = near !== null && this.setting.lines.length > 1 ? near.line.id : null;
        this.callbacks.onNear(near);
        if (lit === this.lit) return;
        this.lit = lit;
        this.redraw();
    }

    leave(): void {
        this.pointer = null;
        this.callbacks.onNear(null);
        if (this.lit === null) return;
        this.lit = null;
        this.redraw();
    }

    /** Begins to pan or to choose a part; answers what to do with each move, and at the end. */
    grab(startX: number, startY: number, isPan: boolean): { move: (x: number, y: number) => void; end: (x: number) => void } {
        this.leave();
        const picture = this.picture;
        const view = picture?.view;
        if (picture === null || view === undefined) return { move: () => undefined, end: () => undefined };
        const { frame } = picture;
        if (isPan) {
            const start = view.x;
            this.heldY = view.y;
            return {
                move: (x) => this.move(start, (startX - x) / frame.width),
                end: () => this.rest(),
            };
        }
        const inside = (x: number) => Math.min(frame.left + frame.width, Math.max(frame.left, x));
        return {
            move: (x) => {
                const style = this.selection.style;
                style.display = "block";
                style.left = `${Math.min(inside(startX), inside(x))}px`;
                style.width = `${Math.abs(inside(x) - inside(startX))}px`;
                style.top = `${frame.top}px`;
                style.height = `${frame.height}px`;
            },
            end: (x) => {
                this.selection.style.display = "none";
                const [left, right] = [Math.min(inside(startX), inside(x)), Math.max(inside(startX), inside(x))];
                if (right - left < 6) return this.hover(startX, startY);
                const at = (px: number) => view.x.from + ((px - frame.left) / frame.width) * (view.x.to - view.x.from);
                this.see({ from: at(left), to: at(right) });
                this.rest();
            },
        };
    }

    /** Moves the part that is seen by a share of its width. */
    private move(start: Span, share: number): void {
        const by = (start.to - start.from) * share;
        this.see({ from: start.from + by, to: start.to + by });
    }

    pan(share: number): void {
        if (this.picture === null) return;
        this.move(this.picture.view.x, share);
        this.restSoon();
    }

    /** Shows `factor` times as much, round a place on the canvas or round the middle. */
    zoom(factor: number, around?: number): void {
        if (this.picture === null) return;
        const { frame, view: { x } } = this.picture;
        const share = around === undefined ? 0.5 : Math.min(1, Math.max(0, (around - frame.left) / frame.width));
        const width = (x.to - x.from) * factor;
        const whole = wholeX(this.setting.lines);
        if (width >= (whole.to - whole.from) * 1.5) return this.reset();
        const from = x.from + (x.to - x.from) * share - width * share;
        this.see({ from, to: from + width });
        this.restSoon();
    }

    reset(): void {
        this.part = null;
        this.heldY = null;
        window.clearTimeout(this.resting);
        this.callbacks.onRange(null);
        this.redraw();
    }

    private see(part: Span): void {
        if (!(part.to - part.from > Math.max(Math.abs(part.to), 1) * 1e-12)) return;
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

function readLook(): Look {
    const style = getComputedStyle(document.documentElement);
    const of = (name: string) => style.getPropertyValue(name).trim();
    return { text: of("--text"), muted: of("--muted"), grid: of("--line"), font: of("--font"), accent: of("--accent") };
}
