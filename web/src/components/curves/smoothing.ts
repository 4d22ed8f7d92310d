/** Exponential smoothing by distance: the server's rule, which `MetricSmoothing` describes. */

const MOST_UNITS = 1000;

/**
 * One value a point; `x` is rising and goes over the whole series, which has `count` points. What is no number
 * neither counts nor is smoothed. `weight` is 0 up to but not 1; 0 leaves everything as it is.
 */
export function smoothed(x: number[], y: number[], weight: number, count = x.length): number[] {
    if (weight <= 0) return y;
    const first = x[0] ?? 0;
    const units = Math.max(1, Math.min(count - 1, MOST_UNITS));
    const unit = ((x[x.length - 1] ?? 0) - first) / units;
    let before = first;
    let sum = 0;
    let total = 0;
    let knownDistance = 0;
    let factor = 1;
    return y.map((value, index) => {
        if (!Number.isFinite(value)) return NaN;
        const distance = (x[index] ?? 0) - before;
        if (distance !== knownDistance) {
            knownDistance = distance;
            factor = unit > 0 ? weight ** (distance / unit) : 1;
        }
        before = x[index] ?? 0;
        sum = sum * factor + value;
        total = total * factor + 1;
        return sum / total;
    });
}

/** A long series of which some points are here, and what the server last made of all of them. */
interface Thinned {
    values: number[];
    pointCount: number;
    smoothed?: number[] | undefined;
    weight?: number | undefined;
}

const befores = new WeakMap<number[], number[]>();

/**
 * What the server will answer, about: its last answer, and by how much the points that are here move between
 * that weight and this one. Shown until the answer is here.
 */
export function estimated(x: number[], curve: Thinned, weight: number): number[] {
    const { values, pointCount, smoothed: exact, weight: known } = curve;
    const here = smoothed(x, values, weight, pointCount);
    if (exact === undefined || known === undefined) return here;
    // The same for each step of the hand.
    let before = befores.get(exact);
    if (before === undefined || before.length !== values.length) befores.set(exact, before = smoothed(x, values, known, pointCount));
    return here.map((value, index) => (exact[index] ?? NaN) + value - (before?.[index] ?? NaN));
}
