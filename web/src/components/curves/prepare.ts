/** From what the server answers to the lines that a chart draws. */
import type { Curve } from "../useCurves";
import type { Line } from "./view";
import { estimated, smoothed } from "./smoothing";

export type XAxis = "step" | "time" | "relative";

interface Named {
    id: string;
    name: string;
    color: string;
}

/** Where a curve's points stand along an axis. */
export function placesOf(curve: Curve, x: XAxis): number[] {
    if (x === "step") return curve.steps;
    return x === "time" ? curve.times : curve.times.map((time) => (time - curve.start) / 1000);
}

/** Whether all points of the series are here: then they are smoothed here, at once. */
export function isWhole(curve: Curve): boolean {
    return curve.values.length >= curve.pointCount;
}

/** The finer points of a part between the others, so that one can look beyond it at once. */
export function merged(whole: Curve[], part: Curve[], x: XAxis, [from, to]: [number, number]): Curve[] {
    const finer = new Map(part.map((curve) => [curve.runID, curve]));
    return whole.map((curve) => {
        const inner = finer.get(curve.runID);
        if (inner === undefined || isWhole(curve)) return curve;
        const outerAt = placesOf(curve, x);
        const innerAt = placesOf(inner, x);
        // Steps that fall make the server send points beside the part as well.
        const kept = indices(innerAt, (at) => at >= from && at <= to);
        const low = innerAt[kept[0] ?? -1] ?? Infinity;
        const high = innerAt[kept[kept.length - 1] ?? -1] ?? -Infinity;
        if (low > high) return curve;
        const before = indices(outerAt, (at) => at < low);
        const after = indices(outerAt, (at) => at > high);
        const pick = (outer: number[], some: number[]) => [
            ...before.map((index) => outer[index] ?? NaN), ...kept.map((index) => some[index] ?? NaN),
            ...after.map((index) => outer[index] ?? NaN),
        ];
        return {
            ...curve, steps: pick(curve.steps, inner.steps), times: pick(curve.times, inner.times), values: pick(curve.values, inner.values),
            smoothed: curve.smoothed && inner.smoothed && curve.weight === inner.weight ? pick(curve.smoothed, inner.smoothed) : undefined,
        };
    });
}

function indices(places: number[], fits: (at: number) => boolean): number[] {
    return places.flatMap((at, index) => (fits(at) ? [index] : []));
}

/** The steps that a part of the axis shows: what the server is asked for. */
export function stepsWithin([from, to]: [number, number], curves: Curve[], x: XAxis): [number, number] | null {
    if (x === "step") return [Math.floor(from), Math.ceil(to)];
    let low = Infinity;
    let high = -Infinity;
    for (const curve of curves) {
        const places = placesOf(curve, x);
        const inside = indices(places, (at) => at >= from && at <= to);
        const first = inside[0];
        const last = inside[inside.length - 1];
        if (first === undefined || last === undefined) continue;
        // The points beside the part belong to it: its first line begins there.
        for (let index = Math.max(0, first - 1); index <= Math.min(places.length - 1, last + 1); index += 1) {
            low = Math.min(low, curve.steps[index] ?? Infinity);
            high = Math.max(high, curve.steps[index] ?? -Infinity);
        }
    }
    return low > high ? null : [low, high];
}

/** Whether what is drawn of a curve is about what the server is being asked for. */
export function isEstimated(curve: Curve, smoothing: number): boolean {
    return smoothing > 0 && !isWhole(curve) && (curve.smoothed === undefined || curve.weight !== smoothing);
}

/** Of a long series the server smooths all points; until its answer is here, the line stands about there. */
export function linesOf(curves: Curve[], runs: Named[], x: XAxis, smoothing: number): Line[] {
    const known = new Map(curves.map((curve) => [curve.runID, curve]));
    return runs.flatMap((run): Line[] => {
        const curve = known.get(run.id);
        if (curve === undefined) return [];
        const places = placesOf(curve, x);
        const line: Line = { id: run.id, name: run.name, color: run.color, x: places, y: curve.values };
        if (smoothing > 0 && curve.pointCount > 1) {
            const along = x === "step" ? places : curve.times;
            line.raw = curve.values;
            line.y = isWhole(curve) ? smoothed(along, curve.values, smoothing)
                : isEstimated(curve, smoothing) ? estimated(along, curve, smoothing) : curve.smoothed ?? curve.values;
        }
        return [line];
    });
}
