import { numeric } from "../../api/client";
import type { Run } from "../../api/mlflow";

/** What a run has under `metrics.NAME` or `params.NAME`; a number where it can be read as one. */
export function valueOf(run: Run, name: string): number | string | undefined {
    const key = name.slice(name.indexOf(".") + 1);
    if (name.startsWith("metrics.")) {
        const metric = run.data.metrics?.find((each) => each.key === key);
        return metric === undefined ? undefined : numeric(metric.value);
    }
    const value = run.data.params?.find((each) => each.key === key)?.value;
    return value === undefined || value === "" || Number.isNaN(Number(value)) ? value : Number(value);
}

export interface Point {
    id: string;
    name: string;
    color: string;
    x: number | string;
    y: number;
}

/** Points from left to right; of an axis of texts their places in `categories`. */
export interface Placement {
    kind: "number" | "time" | "category";
    categories?: string[];
    points: Point[];
    at: number[];
}

/** A date, perhaps with a time of day, as ISO 8601 writes it. */
const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/** Numbers and dates stand where they are; as soon as one value is another text, all are categories beside each other. */
export function placeOnAxis(given: Point[]): Placement {
    // Neither NaN nor an infinity has a place along the axis.
    const known = given.filter(({ x }) => typeof x === "string" || Number.isFinite(x));
    if (known.every(({ x }) => typeof x === "number")) return sorted("number", known, ({ x }) => Number(x));
    const time = ({ x }: Point) => (typeof x === "string" && DATE.test(x) ? Date.parse(x) : NaN);
    if (known.every((point) => Number.isFinite(time(point)))) return sorted("time", known, time);
    const categories = [...new Set(known.map(({ x }) => String(x)))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    const places = new Map(categories.map((name, index) => [name, index]));
    return { ...sorted("category", known, ({ x }) => places.get(String(x)) ?? 0), categories };
}

function sorted(kind: Placement["kind"], known: Point[], at: (point: Point) => number): Placement {
    const points = [...known].sort((a, b) => at(a) - at(b));
    return { kind, points, at: points.map(at) };
}
