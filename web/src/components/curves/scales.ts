/** Where ticks stand on an axis and how they read. */
import { number, shorten } from "../../core/format";

export interface Tick {
    at: number;
    label: string;
}

/** About `wanted` round places from `low` to `high`, no nearer to each other than `least`. */
export function linearTicks(low: number, high: number, wanted: number, least = 0): Tick[] {
    const step = Math.max(least, roundStep((high - low) / Math.max(1, wanted)));
    if (!(step > 0) || !Number.isFinite(step)) return [];
    const ticks: Tick[] = [];
    const first = Math.ceil(low / step);
    for (let count = 0; count <= wanted * 3 && (first + count) * step <= high + step * 1e-9; count += 1) {
        const at = (first + count) * step;
        ticks.push({ at, label: tickLabel(at, step) });
    }
    return ticks;
}

/** 1, 2 or 5 times a power of ten, near `raw`. */
function roundStep(raw: number): number {
    const power = 10 ** Math.floor(Math.log10(raw));
    const part = raw / power;
    return (part <= 1.4 ? 1 : part <= 3.2 ? 2 : part <= 7.1 ? 5 : 10) * power;
}

/** As many digits as tell one tick from the next. */
function tickLabel(at: number, step: number): string {
    const size = Math.abs(at);
    if (size < step * 1e-6) return "0";
    const digits = (of: number) => Math.min(12, Math.max(0, -Math.floor(Math.log10(of) + 1e-9)));
    const minus = (text: string) => text.replace(/-/g, "\u2212");
    if (size >= 1e9 || size < 1e-4) {
        const exponent = Math.floor(Math.log10(size));
        return minus(at.toExponential(Math.min(12, Math.max(0, exponent - Math.floor(Math.log10(step) + 1e-9)))).replace("e+", "e"));
    }
    if (size >= 1e6) return minus(`${(at / 1e6).toFixed(digits(step / 1e6))}M`);
    return minus(at.toLocaleString("en-US", { minimumFractionDigits: digits(step), maximumFractionDigits: digits(step) }));
}

/** Powers of ten between two exponents, or finer places where there are too few. */
export function logTicks(low: number, high: number, wanted: number): Tick[] {
    const span = high - low;
    if (span < 1.2) {
        return linearTicks(10 ** low, 10 ** high, wanted).filter(({ at }) => at > 0)
            .map(({ at, label }) => ({ at: Math.log10(at), label }));
    }
    const every = Math.max(1, Math.ceil(span / wanted));
    const ticks: Tick[] = [];
    for (let at = Math.ceil(low); at <= high; at += every) ticks.push({ at, label: number(10 ** at) });
    return ticks;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const times = [
    SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE,
    30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY,
];

/** Round times of day where the reader is. */
export function timeTicks(low: number, high: number, wanted: number): Tick[] {
    const raw = (high - low) / Math.max(1, wanted);
    if (raw < SECOND) return linearTicks(low, high, wanted, 1).map(({ at }) => ({ at, label: clock(at, true, true) }));
    const step = times.find((each) => each >= raw) ?? Math.ceil(raw / (365 * DAY)) * 365 * DAY;
    const shift = new Date(low).getTimezoneOffset() * MINUTE;
    const ticks: Tick[] = [];
    for (let at = Math.ceil((low - shift) / step) * step + shift; at <= high; at += step) {
        ticks.push({ at, label: step >= DAY ? day(at) : step >= MINUTE ? dayOrClock(at) : clock(at, true) });
    }
    return ticks;
}

function dayOrClock(at: number): string {
    const date = new Date(at);
    return date.getHours() === 0 && date.getMinutes() === 0 ? day(at) : clock(at, false);
}

function day(at: number): string {
    return new Date(at).toLocaleDateString(undefined, { month: "short", day: "numeric" });
}

function clock(at: number, seconds: boolean, fractions = false): string {
    return new Date(at).toLocaleTimeString(undefined, {
        hour: "2-digit", minute: "2-digit", ...(seconds ? { second: "2-digit" as const } : {}),
        ...(fractions ? { fractionalSecondDigits: 3 as const } : {}), hour12: false,
    });
}

/** Seconds as a person says them: on an axis of time since the start. */
export function secondTicks(low: number, high: number, wanted: number): Tick[] {
    const span = high - low;
    const [unit, size] = span > 3 * 86400 ? ["d", 86400] : span > 3 * 3600 ? ["h", 3600] : span > 180 ? ["min", 60] : ["s", 1];
    return linearTicks(low / Number(size), high / Number(size), wanted)
        .map(({ at, label }) => ({ at: at * Number(size), label: `${label} ${unit}` }));
}

/** Pixels of a letter, about; and the fewest letters by which categories are told apart. */
const LETTER = 6.5;
const FEWEST = 6;

/** Names that stand at 0, 1, 2 and so on: as many as have room, cut in the middle where they are long. */
export function categoryTicks(categories: string[], low: number, high: number, width: number): Tick[] {
    const seen = Math.max(1, Math.min(categories.length, high - low + 1));
    const every = Math.max(1, Math.ceil((seen * FEWEST * LETTER) / Math.max(1, width)));
    const letters = Math.max(FEWEST, Math.floor((width / seen) * every / LETTER) - 2);
    const ticks: Tick[] = [];
    for (let at = Math.max(0, Math.ceil(low / every) * every); at <= Math.min(high, categories.length - 1); at += every) {
        ticks.push({ at, label: shorten(categories[at] ?? "", letters) });
    }
    return ticks;
}
