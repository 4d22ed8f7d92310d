import { useState } from "react";
import { getExperiment, getRun, renameRun, deleteRun, restoreRun, type Run } from "../../api/mlflow";
import { Card, Copy, Facts, Page, Status, Tabs } from "../../components/Basics";
import { ConfirmDialog, Field } from "../../components/Form";
import { Empty, ErrorBox, Skeleton } from "../../components/State";
import { toast } from "../../components/Toast";
import { Ago, Took } from "../../components/Time";
import { useQuery } from "../../core/query";
import { Link, navigate, path, useAddress } from "../../core/router";
import { runName } from "../Runs/rows";
import { Artifacts } from "./Artifacts";
import { Curves } from "./Curves";
import { KeyTable, MetricTable } from "./KeyTable";

const LIVE_MS = 2000;

/** One run: what it was given, what it measured, what it left. */
export function RunPage({ id }: { id: string }) {
    const [tab] = useAddress("tab", "overview");
    const query = useQuery(`run/${id}`, () => getRun(id), { on: ["run", "job"], every: LIVE_MS * 2 });
    const run = query.data;
    if (run === undefined) {
        return (
            <Page title={`Run ${id.slice(0, 12)}`} crumbs={[{ label: "Experiments", to: "/experiments" }]}>
                {query.error !== null
                    ? <ErrorBox error={query.error} retry={() => void query.reload()} />
                    : <div className="card"><Skeleton lines={8} /></div>}
            </Page>
        );
    }
    return <Known run={run} tab={tab} reload={() => void query.reload()} />;
}

function Known({ run, tab, reload }: { run: Run; tab: string; reload: () => void }) {
    const { info, data } = run;
    const [dialog, setDialog] = useState<"rename" | "delete" | null>(null);
    const [name, setName] = useState("");
    const experiment = useQuery(`experiment/${info.experiment_id}`, () => getExperiment(info.experiment_id));
    const tags = new Map((data.tags ?? []).map(({ key, value }) => [key, value]));
    const isLive = info.status === "RUNNING" || info.status === "SCHEDULED";
    const base = path("runs", info.run_id);
    const tabs = [
        { id: "overview", label: "Overview", to: base },
        { id: "curves", label: "Curves", to: `${base}?tab=curves`, count: data.metrics?.length ?? 0 },
        { id: "artifacts", label: "Artifacts", to: `${base}?tab=artifacts` },
    ];
    const crumbs = [
        { label: "Experiments", to: "/experiments" },
        { label: experiment.data?.name ?? info.experiment_id, to: path("experiments", info.experiment_id) },
    ];
    const user = tags.get("mlflow.user") ?? info.user_id;
    const parent = tags.get("mlflow.parentRunId");
    if (parent !== undefined) crumbs.push({ label: `parent ${parent.slice(0, 8)}`, to: path("runs", parent) });
    return (
        <Page title={runName(run)} crumbs={crumbs} badge={<Status state={info.status} />}
            note={(
                <>
                    <span>Started <Ago at={info.start_time} /></span>
                    <span>{isLive ? "running for" : "took"} <Took from={info.start_time} to={info.end_time} /></span>
                    {user && <span>by <bdi>{user.slice(0, 60)}</bdi></span>}
                    <Copy text={info.run_id} label="Copy id" />
                </>
            )}
            actions={(
                <>
                    <button type="button" className="button" onClick={() => { setName(runName(run)); setDialog("rename"); }}>Rename</button>
                    {info.lifecycle_stage === "active"
                        ? <button type="button" className="button danger" onClick={() => setDialog("delete")}>Delete</button>
                        : <button type="button" className="button" onClick={() => void restoreRun(info.run_id).then(reload)}>Restore</button>}
                </>
            )}>
            {info.lifecycle_stage !== "active" && <p className="offline">This run is deleted. Restore it to change it.</p>}
            <Tabs items={tabs} current={tab} />
            {tab === "curves" && <Curves run={run} every={isLive ? LIVE_MS : undefined} />}
            {tab === "artifacts" && <Artifacts runID={info.run_id} />}
            {tab === "overview" && <Overview run={run} tags={tags} />}
            {dialog === "rename" && (
                <ConfirmDialog title="Rename this run" confirm="Rename" onClose={() => setDialog(null)}
                    onConfirm={() => renameRun(info.run_id, name).then(reload)}>
                    <Field label="Name">
                        {(field) => <input id={field} className="input" value={name} required onChange={(event) => setName(event.target.value)} />}
                    </Field>
                </ConfirmDialog>
            )}
            {dialog === "delete" && (
                <ConfirmDialog title="Delete this run?" confirm="Delete" danger onClose={() => setDialog(null)}
                    onConfirm={async () => {
                        await deleteRun(info.run_id);
                        toast("Deleted the run.", () => void restoreRun(info.run_id).then(() => navigate(base)));
                        navigate(path("experiments", info.experiment_id));
                    }}>
                    <p className="soft">It is hidden from lists and can be restored.</p>
                </ConfirmDialog>
            )}
        </Page>
    );
}

function Overview({ run, tags }: { run: Run; tags: Map<string, string> }) {
    const { data, inputs, info } = run;
    const shownTags = (data.tags ?? []).filter(({ key }) => !key.startsWith("mlflow."));
    const note = tags.get("mlflow.note.content");
    return (
        <div className="grid-main">
            <div className="stack">
                {note !== undefined && <Card title="Note"><p className="note" tabIndex={0}>{note.slice(0, 20_000)}</p></Card>}
                <Card title="Metrics" flush>
                    <MetricTable metrics={data.metrics ?? []} curves={`${path("runs", info.run_id)}?tab=curves`} />
                </Card>
                <Card title="Parameters" flush>
                    <KeyTable items={data.params ?? []} label="Parameters" empty="No parameters were logged." />
                </Card>
            </div>
            <div className="stack">
                <Card title="Record"><Record run={run} tags={tags} /></Card>
                <Card title="Data" flush>
                    {(inputs?.dataset_inputs ?? []).length === 0 ? <Empty title="No datasets logged" /> : (
                        <ul className="list">
                            {inputs?.dataset_inputs?.map(({ dataset, tags: inputTags }) => (
                                <li key={`${dataset.name} ${dataset.digest}`}>
                                    <div className="grow">
                                        <bdi>{dataset.name.slice(0, 200)}</bdi>
                                        <div className="muted small mono">{dataset.digest}</div>
                                    </div>
                                    {inputTags?.map(({ key, value }) => (
                                        <span key={key} className="chip">{key === "mlflow.data.context" ? value : `${key}: ${value}`}</span>
                                    ))}
                                </li>
                            ))}
                        </ul>
                    )}
                </Card>
                <Card title="Tags" flush>
                    <KeyTable items={shownTags} label="Tags" empty="No tags of its own." />
                </Card>
            </div>
        </div>
    );
}

/** Where the code and its environment came from, as far as the client said. */
function Record({ run, tags }: { run: Run; tags: Map<string, string> }) {
    const commit = tags.get("mlflow.source.git.commit") ?? tags.get("aloft.code");
    const job = tags.get("aloft.job");
    return (
        <Facts items={[
            ["Run", <span key="id" className="mono small">{run.info.run_id}</span>],
            ["Job", job === undefined ? undefined : <Link to={path("jobs", job)} className="mono small">{job}</Link>],
            ["Source", tags.get("mlflow.source.name")],
            ["Code", commit === undefined ? undefined : <span className="mono small">{commit} <Copy text={commit} /></span>],
            ["Branch", tags.get("mlflow.source.git.branch")],
            ["Environment", tags.get("aloft.environment")],
            ["Stopped early", tags.get("aloft.stoppedEarly")],
            ["Artifacts", <span key="uri" className="mono small">{run.info.artifact_uri}</span>],
        ]} />
    );
}
