import { useMemo, useState } from "react";
import type { Run } from "../../api/mlflow";
import { SearchInput } from "../../components/Form";
import { CurveControls, MetricChart, curveRuns, useCurveOptions } from "../../components/MetricChart";
import { Empty } from "../../components/State";
import { useSearchParam } from "../../core/router";
import { runName } from "../Runs/rows";

/** Charts shown before "more": each is mounted only when it is near the visible part anyway. */
const FIRST = 60;

/** A chart a metric, in groups by what stands before the first slash. */
export function Curves({ run }: { run: Run }) {
    const [find, setFind] = useSearchParam("find");
    const [limit, setLimit] = useState(FIRST);
    const [options, setOptions] = useCurveOptions();
    const { run_id: id } = run.info;
    const name = runName(run);
    const runs = useMemo(() => curveRuns([{ id, name }]), [id, name]);
    const all = (run.data.metrics ?? []).map(({ key }) => key);
    const keys = all.filter((key) => key.toLowerCase().includes(find.toLowerCase()));
    const shown = new Set(keys.slice(0, limit));
    const [places] = useState(() => new Places());
    const groups = places.groups(all).map(([title, members]): [string, string[]] => [title, members.filter((key) => shown.has(key))])
        .filter(([, members]) => members.length > 0);
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

/** Where each metric stands, as long as the page is open: what is logged later comes after it. */
class Places {
    private order: string[] = [];
    /** The heading for what begins with this and a slash. */
    private titles = new Map<string, string>();

    /** The metrics in groups, those of the machine last. */
    groups(keys: string[]): [string, string[]][] {
        const known = new Set(this.order);
        const fresh = keys.filter((key) => !known.has(key));
        this.order.push(...fresh);
        this.name(fresh);
        const wanted = new Set(keys);
        const groups = new Map<string, string[]>();
        for (const key of this.order.filter((each) => wanted.has(each))) {
            const title = this.titles.get(prefixOf(key)) ?? REST;
            groups.set(title, [...(groups.get(title) ?? []), key]);
        }
        return [...groups].sort(([a], [b]) => Number(a === "system") - Number(b === "system"));
    }

    private name(fresh: string[]): void {
        const counts = new Map<string, number>();
        for (const key of fresh) counts.set(prefixOf(key), (counts.get(prefixOf(key)) ?? 0) + 1);
        for (const [prefix, count] of counts) {
            if (prefix === "" || this.titles.has(prefix)) continue;
            // A heading for a single chart says nothing that the chart does not say.
            this.titles.set(prefix, count > 1 || prefix === "system" ? prefix : REST);
        }
    }
}

const REST = "Metrics";

function prefixOf(key: string): string {
    return key.slice(0, Math.max(0, key.indexOf("/")));
}
