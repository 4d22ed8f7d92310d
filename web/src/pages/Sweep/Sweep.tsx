import { useMemo, useState } from "react";
import { call } from "../../api/client";
import type { Schemas } from "../../api/generated";
import { Card } from "../../components/Card";
import { Page } from "../../components/Page";
import { StatusBadge } from "../../components/Status";
import { Chart, type Line } from "../../components/Chart";
import { ConfirmDialog } from "../../components/Form";
import { MetricChart, type CurveOptions, type CurveRun } from "../../components/MetricChart";
import { colorOf } from "../../components/palette";
import { Empty, Loaded } from "../../components/State";
import { RelativeTime, Elapsed } from "../../components/Time";
import { VirtualTable, type Column, type Sort } from "../../components/VirtualTable";
import { number } from "../../core/format";
import { useQuery } from "../../core/query";
import { Link, path } from "../../core/router";
import { Rungs } from "./Rungs";

type Sweep = Schemas["SweepView"];
type Trial = Schemas["TrialView"];

/** One sweep: the best so far, every trial, and which were stopped early. */
export function SweepPage({ id }: { id: string }) {
    const query = useQuery(`sweep/${id}`, () => call("GetSweep", { path: { sweep: id } }), { invalidateOn: ["sweep", "trial", "run"], throttle: 2000 });
    const [stopping, setStopping] = useState(false);
    const sweep = query.data;
    const isLive = sweep !== undefined && (sweep.state === "running" || sweep.state === "closing");
    return (
        <Page title={sweep === undefined ? "Sweep" : sweep.job} crumbs={[{ label: "Sweeps", to: "/sweeps" }]}
            badge={sweep && <StatusBadge state={sweep.state} />}
            note={sweep && (
                <>
                    <span><bdi>{sweep.objective}</bdi> by {sweep.method}</span>
                    <span>Started <RelativeTime at={sweep.createdAt} /></span>
                    <span>{isLive ? "running for" : "took"} <Elapsed from={sweep.createdAt} to={sweep.endedAt} /></span>
                </>
            )}
            actions={(
                <>
                    {(sweep?.trials ?? []).length > 1 && <Link className="button" to={compareAddress(sweep?.trials ?? [])}>Compare trials</Link>}
                    {isLive && <button type="button" className="button danger" disabled={sweep.state !== "running"} onClick={() => setStopping(true)}>Stop</button>}
                </>
            )}>
            <Loaded query={query} lines={8}>{(known) => <Known sweep={known} />}</Loaded>
            {stopping && (
                <ConfirmDialog title="Stop this sweep?" confirm="Stop" danger onClose={() => setStopping(false)}
                    onConfirm={async () => {
                        await call("StopSweep", { path: { sweep: id } });
                        await query.reload();
                    }}>
                    <p className="soft">The trials under way are ended and no more are made. What they logged stays.</p>
                </ConfirmDialog>
            )}
        </Page>
    );
}

function Known({ sweep }: { sweep: Sweep }) {
    const trials = sweep.trials ?? [];
    const count = (state: Trial["state"]) => trials.filter((trial) => trial.state === state).length;
    const best = trials.find(({ number: each }) => each === sweep.best);
    const ended = trials.filter(({ state }) => state !== "running" && state !== "stopping").length;
    return (
        <div className="stack">
            {sweep.reason && <div className="error-box" role="alert">{sweep.reason.slice(0, 2000)}</div>}
            <div className="card">
                <dl className="figures">
                    <div><dt>Best so far</dt><dd>{number(best?.objective)} {best && <span className="small">trial {best.number}</span>}</dd></div>
                    <div><dt>Trials</dt><dd>{ended} <span className="small">of {sweep.trialLimit}</span></dd></div>
                    <div><dt>Running</dt><dd>{count("running") + count("stopping")} <span className="small">{sweep.parallel} at once</span></dd></div>
                    <div><dt>Stopped early</dt><dd>{count("stoppedEarly")}</dd></div>
                    <div><dt>Failed</dt><dd>{count("failed")}</dd></div>
                    {sweep.registered && (
                        <div><dt>Registered</dt><dd style={{ fontSize: 15 }}>
                            <Link to={path("models", sweep.registered.model, "versions", String(sweep.registered.version))}>{sweep.registered.model} v{sweep.registered.version}</Link>
                        </dd></div>
                    )}
                </dl>
            </div>
            <div className="grid-2">
                <BestSoFar sweep={sweep} trials={trials} />
                <TrialCurves sweep={sweep} trials={trials} />
            </div>
            <Rungs trials={trials} isMaximum={sweep.objective.startsWith("max")} />
            <Trials trials={trials} best={sweep.best} />
        </div>
    );
}

const looks: [Trial["state"][], string, string][] = [
    [["succeeded"], "ran to the end", colorOf(0)],
    [["stoppedEarly"], "stopped early", colorOf(5)],
    [["running", "stopping"], "running", colorOf(6)],
    [["failed", "cancelled"], "failed or cancelled", colorOf(7)],
];

/** Every trial, newest last, in the comparison's page. */
function compareAddress(trials: Trial[]): string {
    return `/compare?runs=${trials.slice(-200).map(({ run }) => run).join(",")}`;
}

const byStep: CurveOptions = { x: "step", smoothing: 0, logY: false };

/** The objective of every trial as it was logged: those stopped early end early. */
function TrialCurves({ sweep, trials }: { sweep: Sweep; trials: Trial[] }) {
    const metric = sweep.objective.replace(/^\S+\s+/, "");
    const key = trials.map(({ run, state }) => `${run} ${state}`).join();
    const runs = useMemo((): CurveRun[] => trials.slice(-200).map((trial) => ({
        id: trial.run, name: `trial ${trial.number}`,
        color: looks.find(([states]) => states.includes(trial.state))?.[2] ?? colorOf(0),
    })), [key]);
    if (trials.length === 0) return <Card title="Curves"><Empty title="No trials yet" /></Card>;
    return <MetricChart metric={metric} runs={runs} options={byStep} tall />;
}

function BestSoFar({ sweep, trials }: { sweep: Sweep; trials: Trial[] }) {
    const lines = useMemo((): Line[] => {
        const isMaximum = sweep.objective.startsWith("max");
        const measured = trials.filter((trial) => trial.objective !== undefined).sort((a, b) => a.number - b.number);
        let best: number | undefined;
        const ended = measured.filter(({ state }) => state === "succeeded");
        const curve = ended.map((trial) => {
            const value = trial.objective ?? 0;
            best = best === undefined ? value : isMaximum ? Math.max(best, value) : Math.min(best, value);
            return best;
        });
        return [
            { id: "best", name: "best so far", color: colorOf(2), shape: "stairs", x: ended.map(({ number: each }) => each), y: curve },
            ...looks.map(([states, name, color]): Line => {
                const some = measured.filter(({ state }) => states.includes(state));
                return { id: name, name, color, shape: "points", x: some.map(({ number: each }) => each), y: some.map(({ objective }) => objective ?? NaN) };
            }).filter(({ x }) => x.length > 0),
        ];
    }, [sweep.objective, trials]);
    return (
        <Card title={<bdi>{sweep.objective}</bdi>} className="chart-card" flush>
            {trials.some(({ objective }) => objective !== undefined)
                ? (
                    <Chart lines={lines} label="Objective by trial, and the best so far" kind="step" title="trial" boxZoom legend tall
                        tooltip={(line, index) => ({ value: number(line.y[index]), place: `trial ${line.x[index] ?? ""}`, name: line.name })} />
                )
                : <Empty title="No values yet">They appear as soon as a trial logs the objective.</Empty>}
        </Card>
    );
}

function Trials({ trials, best }: { trials: Trial[]; best: number | undefined }) {
    const [sort, setSort] = useState<Sort | undefined>();
    const names = useMemo(() => [...new Set(trials.flatMap(({ parameters }) => parameters.map(({ name }) => name)))], [trials]);
    const columns = useMemo((): Column<Trial>[] => [
        {
            id: "number", title: "Trial", width: 100, sort: "number",
            cell: (trial) => <><Link to={path("runs", trial.run)}>{trial.number}</Link>{trial.number === best && <span title="the best so far"> ★</span>}</>,
        },
        { id: "state", title: "State", width: 150, cell: (trial) => <span title={trial.reason}><StatusBadge state={trial.state} tone={trial.state === "cancelled" ? "idle" : undefined} /></span> },
        { id: "objective", title: "Objective", width: 110, align: "right", sort: "objective", cell: (trial) => number(trial.objective) },
        { id: "step", title: "Step", width: 80, align: "right", cell: (trial) => trial.step ?? "" },
        { id: "rung", title: "Rung", width: 70, align: "right", cell: (trial) => trial.rung ?? "" },
        ...names.map((name): Column<Trial> => ({
            id: `p.${name}`, title: name, width: 130, sort: `p.${name}`,
            cell: (trial) => trial.parameters.find((each) => each.name === name)?.value ?? "",
        })),
        { id: "took", title: "Took", width: 110, cell: (trial) => <Elapsed from={trial.createdAt} to={trial.endedAt} /> },
        { id: "job", title: "Job", width: 100, cell: (trial) => <Link to={path("jobs", trial.job)} className="mono">{trial.job.slice(0, 8)}</Link> },
    ], [names, best]);
    const rows = useMemo(() => sorted(trials, sort), [trials, sort]);
    return (
        <VirtualTable label="Trials" rows={rows} rowID={({ number: each }) => String(each)} columns={columns}
            sort={sort} onSort={setSort} empty={<Empty title="No trials yet" />} />
    );
}

/** Missing values last, whichever direction. */
function sorted(trials: Trial[], sort: Sort | undefined): Trial[] {
    if (sort === undefined) return trials;
    const value = (trial: Trial): number | string | undefined => {
        if (sort.key === "number") return trial.number;
        if (sort.key === "objective") return trial.objective;
        const text = trial.parameters.find(({ name }) => `p.${name}` === sort.key)?.value;
        return text === undefined || Number.isNaN(Number(text)) ? text : Number(text);
    };
    return [...trials].sort((a, b) => {
        const left = value(a);
        const right = value(b);
        if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
        const order = left < right ? -1 : left > right ? 1 : 0;
        return sort.descending ? -order : order;
    });
}
