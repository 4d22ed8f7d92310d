import type { ReactNode } from "react";

export interface WalkStep {
    label: string;
    value: ReactNode;
    note?: ReactNode;
    /** The thing that the page is about. */
    isHere?: boolean;
}

/** How something came about, from its beginnings to what it became; unknown steps are left out. */
export function Walk({ label, steps }: { label: string; steps: (WalkStep | undefined | false)[] }) {
    const known = steps.filter((step): step is WalkStep => Boolean(step));
    return (
        <ol className="walk" aria-label={label}>
            {known.map((step) => (
                <li key={step.label} aria-current={step.isHere ? "step" : undefined}>
                    <div className="walk-label">{step.label}</div>
                    <div className="walk-value">{step.value}</div>
                    {step.note !== undefined && step.note !== "" && <div className="walk-note">{step.note}</div>}
                </li>
            ))}
        </ol>
    );
}
