import type { Schemas } from "../api/generated";
import { measured } from "../core/format";
import { StatusBadge } from "./Status";
import { ResponsiveTable } from "./ResponsiveTable";

/** What was asked of a version before it could enter, with both numbers. */
export function ChecksTable({ checks, label }: { checks: Schemas["CheckItem"][]; label: string }) {
    return (
        <ResponsiveTable label={label} rows={checks} rowID={({ check }) => check} columns={[
            {
                title: "Check",
                cell: ({ check, explanation }) => (
                    <>
                        <div className="mono">{check}</div>
                        {explanation && <div className="small muted">{explanation}</div>}
                    </>
                ),
            },
            { title: "Result", cell: ({ held }) => (held === undefined || held === null ? <StatusBadge state="waiting" /> : <StatusBadge state={held ? "passed" : "failed"} />) },
            { title: "Measured", right: true, className: "nowrap", cell: ({ check, left }) => measured(check, left) },
            { title: "Bound", right: true, className: "nowrap", cell: ({ check, right }) => measured(check, right) },
        ]} />
    );
}
