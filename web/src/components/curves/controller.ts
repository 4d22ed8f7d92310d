/** A canvas with curves that a person looks around in: hover, zoom by dragging, pan, keys. */
import { RawLayer } from "./rawLayer";
import { draw, ticksOf, type Axes, type ChartTheme, type Scene } from "./draw";
import {
    LEAST, yExtent, fromX, fromY, nearest, valuesAt, xExtent, withoutPlace, type PlotArea, type Hit, type Line, type Extent, type View,
} from "./view";

export interface ChartSettings extends Axes {
    lines: Line[];
    /** Of the horizontal axis; missing or empty where it explains itself. */
    title?: string | undefined;
    titleY?: string | undefined;
    /** The ends of the horizontal axis, where they are not those of the lines. */
    domain?: Extent | undefined;
    /** The vertical axis begins at zero. */
    includeZero?: boolean | undefined;
    /** Dragging chooses a part of both axes. */
    boxZoom?: boolean | undefined;
    /** The values of all lines are told at once. */
    sharedTooltip?: boolean | undefined;
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
export interface Drag {
    move: (x: number, y: number) => void;
    end: (x: number, y: number) => void;
}

export class ChartController {
    private setting: ChartSettings = { lines: [], kind: "step", logY: false };
    /** `null` follows the curves as they grow. */
    private part: Extent | null = null;
    /** Chosen with a box; `null` fits what is seen. */
    private partY: Extent | null = null;
    /** Kept while the hand moves, so that the curves do not jump. */
    private heldY: Extent | null = null;
    private highlighted: string | null = null;
    private scene: Scene | null = null;
    private isWaiting = 0;
    /** Where the pointer rests: what stands under it is said anew when the curves grow. */
    private pointer: [number, number] | null = null;
    private isNew = false;
    private resting: number | undefined;
    private theme: ChartTheme | null = null;
    private readonly behind = new RawLayer();
    private readonly context: CanvasRenderingContext2D | null;

    constructor(
        private readonly canvas: HTMLCanvasElement, private readonly box: HTMLElement,
        private readonly selection: HTMLElement, private readonly callbacks: Callbacks,
    ) {
        this.context = canvas.getContext("2d");
    }

    show(setting: ChartSettings): void {
        const before = this.setting;
        const isOther = setting.kind !== before.kind || setting.title !== before.title || setting.titleY !== before.titleY;
        // A part that the lines have left, since they go with the time, shows nothing any more.
        const isLeft = setting.domain !== undefined && this.part !== null && this.part.to <= setting.domain.from;
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
        this.theme = null;
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
        this.scene = this.compose(context, width, height);
        draw(context, { width, height }, this.scene, this.behind);
        // For who cannot see the canvas: a test, or a person's own script.
        this.box.dataset.lines = String(this.setting.lines.reduce((sum, { raw }) => sum + (raw === undefined ? 1 : 2), 0));
        this.box.dataset.marks = String(withoutPlace(this.setting.lines, this.setting.logY));
        if (this.isNew && this.pointer !== null) this.hover(...this.pointer);
        this.isNew = false;
        this.box.dataset.zoomed = [this.part, this.partY].flatMap((part) => (part === null ? [] : [part.from, part.to])).join(" ");
    }

    private compose(context: CanvasRenderingContext2D, width: number, height: number): Scene {
        const { lines, logY, title = "", titleY = "", includeZero, isInterim } = this.setting;
        const theme = this.theme ??= readTheme();
        const x = this.part ?? this.whole();
        const before = isInterim ? this.scene?.view.y : undefined;
        const view: View = { x, y: this.partY ?? this.heldY ?? before ?? yExtent(lines, x, logY, includeZero) };
        const tall = Math.max(10, height - 10 - (title === "" ? 22 : 36));
        const labels = ticksOf(view, { width, height: tall }, this.setting).y;
        context.font = `11px ${theme.font}`;
        const widest = Math.max(18, ...labels.map(({ label }) => context.measureText(label).width));
        const frame: PlotArea = { left: Math.ceil(widest) + (titleY === "" ? 14 : 32), top: 10, width: 0, height: tall };
        frame.width = Math.max(10, width - frame.left - 14);
        return { lines, view, frame, ticks: ticksOf(view, frame, this.setting), logY, title, titleY, theme, highlighted: this.highlighted };
    }

    private whole(): Extent {
        return this.setting.domain ?? xExtent(this.setting.lines);
    }

    // What the hand does.

    hover(x: number, y: number): void {
        this.pointer = [x, y];
        const { lines, sharedTooltip } = this.setting;
        if (this.scene === null) return this.callbacks.onHits([]);
        if (sharedTooltip) return this.callbacks.onHits(valuesAt(this.scene, x));
        const hit = nearest(this.scene, x, y);
        this.callbacks.onHits(hit === null ? [] : [hit]);
        // Points stand beside each other: none of them hides another.
        this.highlight(hit !== null && lines.length > 1 && lines.every(({ shape }) => shape !== "points") ? hit.line.id : null);
    }

    leave(): void {
        this.pointer = null;
        this.callbacks.onHits([]);
        this.highlight(null);
    }

    private highlight(highlighted: string | null): void {
        if (highlighted === this.highlighted) return;
        this.highlighted = highlighted;
        this.redraw();
    }

    /** Begins to pan or to choose a part; answers what to do with each move, and at the end. */
    grab(startX: number, startY: number, isPan: boolean): Drag {
        this.leave();
        const scene = this.scene;
        if (scene === null) return { move: () => undefined, end: () => undefined };
        return isPan ? this.grabToPan(scene, startX, startY) : this.grabToChoose(scene, startX, startY);
    }

    private grabToPan({ view, frame }: Scene, startX: number, startY: number): Drag {
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

    private grabToChoose({ view, frame }: Scene, startX: number, startY: number): Drag {
        /** The corners of what is chosen; a box that is flat goes over the whole of the other axis. */
        const chosen = (x: number, y: number) => {
            const isWide = Math.abs(x - startX) >= FLAT;
            const isTall = Math.abs(y - startY) >= FLAT;
            const both = this.setting.boxZoom === true && isTall;
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
        if (this.scene === null) return;
        this.see(shifted(this.scene.view.x, share));
        this.restSoon();
    }

    /** Shows `factor` times as much, round a place on the canvas or round the middle. */
    zoom(factor: number, around?: number): void {
        if (this.scene === null) return;
        const { frame, view: { x } } = this.scene;
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

    private see(part: Extent): void {
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
function shifted({ from, to }: Extent, share: number): Extent {
    const by = (to - from) * share;
    return { from: from + by, to: to + by };
}

function scaled({ from, to }: Extent, factor: number): Extent {
    const middle = from + (to - from) / 2;
    const half = ((to - from) / 2) * factor;
    return { from: middle - half, to: middle + half };
}

function readTheme(): ChartTheme {
    const style = getComputedStyle(document.documentElement);
    const of = (name: string) => style.getPropertyValue(name).trim();
    return { text: of("--text"), muted: of("--muted"), grid: of("--line"), font: of("--font"), accent: of("--accent") };
}
