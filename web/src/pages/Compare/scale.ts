/** Where values stand along an axis of parallel coordinates, and how its name is broken into lines. */
import { number } from "../../core/format";

export interface Axis {
    name: string;
    /** By run; all numbers, or all texts. */
    values: Map<string, number | string>;
}

const LINE_LETTERS = 18;

/** A name in lines, broken where its parts end, else where a line is full. */
export function linesOf(name: string): string[] {
    const pieces = name.match(/[^_/.\- ]+[_/.\- ]*|[_/.\- ]+/g) ?? [name];
    const lines = [""];
    for (const piece of pieces.flatMap((each) => each.match(/.{1,18}/gsu) ?? [])) {
        const last = lines[lines.length - 1] ?? "";
        if (last !== "" && last.length + piece.trimEnd().length > LINE_LETTERS) lines.push(piece);
        else lines[lines.length - 1] = last + piece;
    }
    return lines;
}

export interface Scale {
    axis: Axis;
    /** From 0 at the bottom to 1 at the top. */
    place: (value: number | string) => number;
    low: string;
    high: string;
}

export function scaleOf(axis: Axis): Scale {
    const values = [...axis.values.values()];
    const numbers = values.filter((value): value is number => typeof value === "number" && Number.isFinite(value));
    if (numbers.length === values.length && numbers.length > 0) {
        const low = Math.min(...numbers);
        const high = Math.max(...numbers);
        // A wide span of sizes reads better by powers of ten.
        const isLog = low > 0 && high / low > 100;
        const at = isLog ? Math.log : (value: number) => value;
        // Halves: the span of the greatest numbers would be none itself.
        const half = (value: number) => at(value) / 2;
        const span = half(high) - half(low) || 1;
        return { axis, place: (value) => (half(Number(value)) - half(low)) / span, low: number(low), high: number(high) };
    }
    const names = [...new Set(values.map(String))].sort();
    const place = new Map(names.map((name, index) => [name, names.length === 1 ? 0.5 : index / (names.length - 1)]));
    return { axis, place: (value) => place.get(String(value)) ?? 0, low: names[0] ?? "", high: names[names.length - 1] ?? "" };
}
