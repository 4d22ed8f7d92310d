import { useMemo, useState } from "react";
import type { Run } from "../../api/mlflow";
import { SearchInput } from "../../components/Form";
import { CurveControls, MetricChart, curveRuns, type CurveOptions } from "../../components/MetricChart";
import { Empty } from "../../components/State";
import { useAddress } from "../../core/router";
import { runName } from "../Runs/rows";

/** Charts shown before "more": each is mounted only when it is near the visible part anyway. */
const FIRST = 60;

/** A chart a metric, in groups by what stands before the first slash. */
export function Curves({ run }: { run: Run }) {
    const [find, setFind] = useAddress("find");
    const [limit, setLimit] = useState(FIRST);
    const [options, setOptions] = useState<CurveOptions>({ x: "step", smoothing: 0, logY: false });
    const { run_id: id } = run.info;
    const name = runName(run);
    const runs = useMemo(() => curveRuns([{ id, name }]), [id, name]);
    const keys = (run.data.metrics ?? []).map(({ key }) => key)
        .filter((key) => key.toLowerCase().includes(find.toLowerCase()));
    const groups = groupsOf(keys.slice(0, limit));
    if ((run.data.metrics ?? []).length === 0) {
        return <div className="card"><Empty title="No metrics yet">They appear here as soon as the run logs them.</Empty></div>;
    }
    return (
        <>
            <div className="toolbar">
                <SearchInput value={find} onChange={setFind} label="Find a metric" />
                <CurveControls options={options} onChange={setOptions} />
            </div>
            {groups.map(([title, members]) => (
                <section key={title} className="chart-section">
                    {groups.length > 1 && <h2>{title}</h2>}
                    <div className="charts">
                        {members.map((key) => (
                            <MetricChart key={key} metric={key} runs={runs} options={options} />
                        ))}
                    </div>
                </section>
            ))}
            {keys.length === 0 && <div className="card"><Empty title="No metric has this name" /></div>}
            {keys.length > limit && (
                <button type="button" className="button" onClick={() => setLimit(limit + FIRST)}>
                    Show more of {keys.length.toLocaleString("en-US")}
                </button>
            )}
        </>
    );
}

function groupsOf(keys: string[]): [string, string[]][] {
    const groups = new Map<string, string[]>();
    for (const key of keys) {
        const slash = key.indexOf("/");
        const title = slash > 0 ? key.slice(0, slash) : "Metrics";
        groups.set(title, [...(groups.get(title) ?? []), key]);
    }
    // A heading for a single chart says nothing that the chart does not say.
    for (const [title, members] of groups) {
        if (members.length > 1 || title === "Metrics" || title === "system") continue;
        groups.set("Metrics", [...(groups.get("Metrics") ?? []), ...members]);
        groups.delete(title);
    }
    // What the machine did comes after what the model learned.
    return [...groups].sort(([a], [b]) => Number(a === "system") - Number(b === "system"));
}
