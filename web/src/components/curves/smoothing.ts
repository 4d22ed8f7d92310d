/** Exponential smoothing by distance: the server's rule, which `MetricSmoothing` describes. */

const MOST_UNITS = 1000;

/**
 * One value a point; `x` is rising and holds the whole series. What is no number neither counts nor is
 * smoothed. `weight` is 0 up to but not 1; 0 leaves everything as it is.
 */
export function smoothed(x: number[], y: number[], weight: number): number[] {
    if (weight <= 0) return y;
    const first = x[0] ?? 0;
    const units = Math.max(1, Math.min(x.length - 1, MOST_UNITS));
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
