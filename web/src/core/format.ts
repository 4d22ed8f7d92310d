/** Numbers, sizes and times as people read them. */

const MINUS = "\u2212";

/** At most five significant digits; very large and very small ones with an exponent. */
export function number(value: number | string | undefined | null): string {
    if (value === undefined || value === null) return "–";
    if (typeof value === "string") return value;
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : `${MINUS}∞`;
    const size = Math.abs(value);
    let text: string;
    if (value === 0) text = "0";
    else if (size >= 1e9 || size < 1e-4) text = value.toExponential(3).replace("e+", "e");
    else if (Number.isInteger(value)) text = value.toLocaleString("en-US");
    else text = String(Number(value.toPrecision(5)));
    return text.replace(/-/g, MINUS);
}

export function count(value: number): string {
    return value.toLocaleString("en-US");
}

export function percent(value: number): string {
    return `${Number(value.toFixed(1))}%`;
}

export function bytes(value: number | undefined): string {
    if (value === undefined) return "";
    const units = ["B", "kB", "MB", "GB", "TB"];
    let size = value;
    let unit = 0;
    while (size >= 1000 && unit < units.length - 1) {
        size /= 1000;
        unit += 1;
    }
    return `${unit === 0 ? size : Number(size.toPrecision(3))} ${units[unit]}`;
}

export function microseconds(value: number | undefined | null): string {
    if (value === undefined || value === null) return "–";
    if (value < 1000) return `${Math.round(value)} µs`;
    if (value < 1e6) return `${Number((value / 1000).toPrecision(3))} ms`;
    return `${Number((value / 1e6).toPrecision(3))} s`;
}

/** A number of a check: latencies are in seconds there, and read better in milliseconds. */
export function measured(check: string, value: number | undefined | null): string {
    return check.includes("latency") && typeof value === "number" ? microseconds(value * 1e6) : number(value);
}

export function duration(milliseconds: number): string {
    const seconds = Math.max(0, milliseconds) / 1000;
    if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
    if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
    const whole = Math.floor(seconds);
    if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
    if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
    return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

export function relativeTime(at: number, now: number): string {
    const seconds = Math.round((now - at) / 1000);
    if (seconds < -5) return `in ${duration(at - now)}`;
    if (seconds < 5) return "just now";
    if (seconds < 60) return `${seconds} s ago`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
    if (seconds < 14 * 86400) return `${Math.floor(seconds / 86400)} d ago`;
    return new Date(at).toLocaleDateString(undefined, {
        year: "numeric", month: "short", day: "numeric",
    });
}

export function fullTime(at: number): string {
    return new Date(at).toLocaleString(undefined, {
        year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit",
        second: "2-digit", timeZoneName: "short",
    });
}

/** The time of day where the reader is, to the second. */
export function clockTime(at: number): string {
    return localStamp(at).slice(11, 19);
}

/** Date and time of day where the reader is, which sort as text. */
export function localStamp(at: number): string {
    const date = new Date(at);
    const two = (value: number) => String(value).padStart(2, "0");
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `
        + `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** Cut in the middle, so that both ends stay to be told apart by. */
export function shorten(text: string, length: number): string {
    if (text.length <= length) return text;
    const half = Math.floor((length - 1) / 2);
    return `${text.slice(0, half)}…${text.slice(text.length - half)}`;
}
