import { memo, useMemo, useState } from "react";
import { ApiError, numeric } from "../../api/client";
import { getRuns, type Run } from "../../api/mlflow";
import { Card } from "../../components/Card";
import { Page } from "../../components/Page";
import { StatusDot } from "../../components/Status";
import { CurveControls, MetricChart, curveRuns, useCurveOptions, type CurveRun } from "../../components/MetricChart";
import { Empty, ErrorBox, Loaded } from "../../components/State";
import { number } from "../../core/format";
import { useQuery } from "../../core/query";
import { Link, path, setSearchParams, useSearchParam, useSearchParamList } from "../../core/router";
import { runName } from "../Runs/rows";
import { axesOf, metricKeys } from "./axes";
import { Parallel } from "./Parallel";
import { Scatter } from "./Scatter";

const MOST = 200;

interface Loadable {
    runs: Run[];
    missing: number;
}

async function loadRuns(ids: string[]): Promise<Loadable> {
    const found = await getRuns(ids);
    const runs = found.filter((run): run is Run => run !== null);
    return { runs, missing: ids.length - runs.length };
}

/** Runs beside each other. Which runs, and what is shown of them, is in the address. */
export function Compare() {
    const [ids] = useSearchParamList("runs");
    const shown = ids.slice(0, MOST);
    const query = useQuery(shown.length === 0 ? null : `compare/${shown.join()}`, () => loadRuns(shown), { invalidateOn: ["run", "job"], runs: shown, throttle: 5000 });
    const title = `Compare ${shown.length} ${shown.length === 1 ? "run" : "runs"}`;
    return (
        <Page title={title} crumbs={[{ label: "Experiments", to: "/experiments" }]}
            note={ids.length > MOST && <span>The first {MOST} of {ids.length} are shown.</span>}>
            {shown.length === 0
                ? (
                    <Card>
                        <Empty title="No runs chosen" actions={<Link className="button" to="/experiments">Choose an experiment</Link>}>
                            Tick runs in an experiment's table, then press Compare.
                        </Empty>
                    </Card>
                )
                : <Loaded query={query} lines={8}>{(loaded) => (loaded.runs.length > 0 ? <Comparison {...loaded} /> : (
                    <Card>
                        <Empty title="None of these runs is here" actions={<Link className="button" to="/experiments">Choose an experiment</Link>}>
                            They may be gone, or the address is cut off.
                        </Empty>
                    </Card>
                ))}</Loaded>}
        </Page>
    );
}

function Comparison({ runs, missing }: Loadable) {
    const [metrics, setMetrics] = useSearchParamList("metrics");
    const [options, setOptions] = useCurveOptions();
    const [brushed, setBrushed] = useState<Set<string> | null>(null);
    const runsKey = runs.map(({ info }) => info.run_id).join();
    // A refresh of the same runs must not redraw every chart.
    const named = useMemo(() => curveRuns(runs.map((run) => ({ id: run.info.run_id, name: runName(run) }))), [runsKey]);
    const seen = useMemo(() => named.filter(({ id }) => brushed === null || brushed.has(id)), [named, brushed]);
    const keys = useMemo(() => metricKeys(runs), [runs]);
    const states = useMemo(() => new Map(runs.map(({ info }) => [info.run_id, info.status])), [runs]);
    const chosen = metrics.length > 0 ? metrics : keys.slice(0, 2);
    return (
        <div className="stack">
            {missing > 0 && <ErrorBox error={new ApiError(404, "runs_missing", `${missing} of the runs could not be read; they may be gone.`)} />}
            <Card title="Runs" side={brushed !== null && (
                <>
                    <span className="small numbers">{seen.length} of {named.length}</span>
                    <button type="button" className="button small" onClick={() => setBrushed(null)}>Show all</button>
                </>
            )}>
                <Legend runs={seen} states={states} />
            </Card>
            <div className="toolbar" style={{ marginBottom: 0 }}>
                <select className="select" aria-label="Add a curve" value=""
                    onChange={(event) => setMetrics([...chosen.filter((key) => key !== event.target.value), event.target.value])}>
                    <option value="">Add a curve…</option>
                    {keys.filter((key) => !chosen.includes(key)).map((key) => <option key={key} value={key}>{key.slice(0, 80)}</option>)}
                </select>
                {chosen.map((key) => (
                    <span key={key} className="chip"><span className="cut">{key.slice(0, 60)}</span>
                        <button type="button" aria-label={`Remove ${key.slice(0, 60)}`} onClick={() => setMetrics(chosen.filter((each) => each !== key))}>×</button>
                    </span>
                ))}
                <CurveControls options={options} onChange={setOptions} />
            </div>
            <div className="charts">
                {chosen.map((key) => (
                    <MetricChart key={key} metric={key} runs={seen} options={options} />
                ))}
            </div>
            {runs.length > 1 && <ParallelCard runs={runs} named={named} keys={keys} onBrush={setBrushed} />}
            {runs.length > 1 && <ScatterCard runs={runs} named={named} keys={keys} />}
            <Differences runs={runs} />
        </div>
    );
}

const Legend = memo(function Legend({ runs, states }: { runs: CurveRun[]; states: Map<string, string> }) {
    const [all, setAll] = useState(false);
    const shown = all ? runs : runs.slice(0, 24);
    return (
        <ul className="legend">
            {shown.map((run) => (
                <li key={run.id}>
                    <svg width="14" height="4" aria-hidden="true"><rect width="14" height="4" rx="2" fill={run.color} /></svg>
                    <Link to={path("runs", run.id)} className="cut"><bdi>{run.name.slice(0, 120)}</bdi></Link>
                    <StatusDot state={states.get(run.id) ?? ""} />
                </li>
            ))}
            {runs.length > shown.length && <li><button type="button" className="button small" onClick={() => setAll(true)}>{runs.length - shown.length} more</button></li>}
        </ul>
    );
});

const ParallelCard = memo(function ParallelCard({ runs, named, keys, onBrush }: {
    runs: Run[]; named: CurveRun[]; keys: string[]; onBrush: (ids: Set<string> | null) => void;
}) {
    const axes = useMemo(() => axesOf(runs, keys), [runs, keys]);
    if (axes.length < 2) return null;
    return (
        <Card title="Parallel coordinates" side={<span className="small">drag along an axis to choose runs</span>}>
            <Parallel axes={axes} runs={named} onBrush={onBrush} />
        </Card>
    );
});

const ScatterCard = memo(function ScatterCard({ runs, named, keys }: { runs: Run[]; named: CurveRun[]; keys: string[] }) {
    const params = useMemo(() => [...new Set(runs.flatMap((run) => (run.data.params ?? []).map(({ key }) => key)))].sort(), [runs]);
    const [x, setX] = useSearchParam("x", params[0] !== undefined ? `params.${params[0]}` : `metrics.${keys[0] ?? ""}`);
    const [y, setY] = useSearchParam("y", `metrics.${keys[0] ?? ""}`);
    if (keys.length === 0) return null;
    const choices = [...params.map((key) => `params.${key}`), ...keys.map((key) => `metrics.${key}`)];
    const choice = (label: string, value: string, set: (value: string) => void) => (
        <select className="select" aria-label={label} value={value} onChange={(event) => set(event.target.value)}>
            {choices.map((each) => <option key={each} value={each}>{each.slice(0, 80)}</option>)}
        </select>
    );
    return (
        <Card title="Scatter" side={<>{choice("Horizontal", x, setX)}{choice("Vertical", y, setY)}</>}>
            <Scatter runs={runs} named={named} x={x} y={y} />
        </Card>
    );
});

/** A column a run; rows that differ are marked. */
const Differences = memo(function Differences({ runs }: { runs: Run[] }) {
    const [onlyDiffering, setOnly] = useSearchParam("differing", "yes");
    const [limit, setLimit] = useState(12);
    const columns = runs.slice(0, limit);
    const rows = useMemo(() => {
        const all = new Map<string, (string | undefined)[]>();
        columns.forEach((run, index) => {
            const add = (name: string, value: string) => {
                const values = all.get(name) ?? Array<string | undefined>(columns.length).fill(undefined);
                values[index] = value;
                all.set(name, values);
            };
            for (const { key, value } of run.data.params ?? []) add(`params.${key}`, value);
            for (const { key, value } of run.data.metrics ?? []) if (!key.startsWith("system/")) add(`metrics.${key}`, number(numeric(value)));
        });
        return [...all].map(([name, values]) => ({ name, values, differs: new Set(values).size > 1 }));
    }, [runs, limit]);
    const shown = rows.filter(({ differs }) => onlyDiffering !== "yes" || differs || columns.length === 1);
    return (
        <Card title="Parameters and last metrics" flush side={(
            <label className="check">
                <input type="checkbox" checked={onlyDiffering === "yes"} onChange={(event) => setSearchParams({ differing: event.target.checked ? "" : "no" })} />
                Only what differs
            </label>
        )}>
            {shown.length === 0 ? <Empty title="Nothing differs"><button type="button" className="button" onClick={() => setOnly("no")}>Show everything</button></Empty> : (
                <div className="table-box" tabIndex={0} role="region" aria-label="Differences">
                    <table className="plain compact differences">
                        <thead>
                            <tr>
                                <th scope="col">Name</th>
                                {columns.map((run) => <th key={run.info.run_id} scope="col" className="right"><Link to={path("runs", run.info.run_id)}><bdi>{runName(run).slice(0, 24)}</bdi></Link></th>)}
                            </tr>
                        </thead>
                        <tbody>
                            {shown.map(({ name, values, differs }) => (
                                <tr key={name}>
                                    <td className="soft nowrap"><bdi>{name.slice(0, 120)}</bdi></td>
                                    {values.map((value, index) => (
                                        <td key={index} className={`right ${differs && onlyDiffering !== "yes" ? "differs" : ""}`}>
                                            {value === undefined ? <span className="muted">–</span> : <bdi title={value.slice(0, 600)}>{value.slice(0, 60)}</bdi>}
                                        </td>
                                    ))}
                                </tr>
                            ))}
                        </tbody>
                    </table>
                </div>
            )}
            {runs.length > limit && <div style={{ padding: 12 }}><button type="button" className="button small" onClick={() => setLimit(limit + 24)}>Show more of {runs.length} runs</button></div>}
        </Card>
    );
});
