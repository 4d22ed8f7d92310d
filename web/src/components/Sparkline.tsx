/** A small curve without axes. */
export function Sparkline({ values, width = 120, height = 28, color = "var(--accent)", label }: {
    values: number[]; width?: number; height?: number; color?: string; label: string;
}) {
    const known = values.filter(Number.isFinite);
    if (known.length < 2) return <span className="muted">–</span>;
    const low = Math.min(...known);
    const high = Math.max(...known);
    const points = known.map((value, index) => {
        const x = (index / (known.length - 1)) * width;
        const y = height - 2 - ((value - low) / (high - low || 1)) * (height - 4);
        return `${x.toFixed(1)},${y.toFixed(1)}`;
    });
    return (
        <svg className="sparkline" width={width} height={height} role="img" aria-label={label}>
            <polyline points={points.join(" ")} fill="none" stroke={color} strokeWidth="1.5" />
        </svg>
    );
}
