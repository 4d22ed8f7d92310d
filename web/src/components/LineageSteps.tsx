import type { ReactNode } from "react";

export interface LineageStep {
    label: string;
    value: ReactNode;
    note?: ReactNode;
    /** The thing that the page is about. */
    isHere?: boolean;
}

/** How something came about, from its beginnings to what it became; unknown steps are left out. */
export function LineageSteps({ label, steps }: { label: string; steps: (LineageStep | undefined | false)[] }) {
    const known = steps.filter((step): step is LineageStep => Boolean(step));
    return (
        <ol className="lineage-steps" aria-label={label}>
            {known.map((step) => (
                <li key={step.label} aria-current={step.isHere ? "step" : undefined}>
                    <div className="lineage-label">{step.label}</div>
                    <div className="lineage-value">{step.value}</div>
                    {step.note !== undefined && step.note !== "" && <div className="lineage-note">{step.note}</div>}
                </li>
            ))}
        </ol>
    );
}
