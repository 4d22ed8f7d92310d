import { useState } from "react";
import { call } from "../../api/client";
import { getExperiment, getRun, renameRun, deleteRun, quote, restoreRun, searchVersions, type KeyValue, type Run } from "../../api/mlflow";
import { Card } from "../../components/Card";
import { CopyButton } from "../../components/Copy";
import { DescriptionList } from "../../components/DescriptionList";
import { Page } from "../../components/Page";
import { Tabs } from "../../components/Tabs";
import { ConfirmDialog, Field } from "../../components/Form";
import { ErrorBox, Skeleton } from "../../components/State";
import { toast } from "../../components/Toast";
import { RunStatus, isStale, lastSign } from "../../components/runState";
import { RelativeTime, Elapsed, useNow } from "../../components/Time";
import { useQuery } from "../../core/query";
import { Link, navigate, path, useSearchParam } from "../../core/router";
import { Log } from "../Job/Log";
import { runName } from "../Runs/rows";
import { Artifacts } from "./Artifacts";
import { Family } from "./Children";
import { Curves } from "./Curves";
import { Datasets } from "./Datasets";
import { KeyTable, MetricTable } from "./KeyTable";

/** One run: what it was given, what it measured, what it left. */
export function RunPage({ id }: { id: string }) {
    const [tab] = useSearchParam("tab", "overview");
    const query = useQuery(`run/${id}`, () => getRun(id), { invalidateOn: ["run", "job"], runs: [id] });
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
    const experiment = useQuery(`experiment/${info.experiment_id}`, () => getExperiment(info.experiment_id));
    const tags = new Map((data.tags ?? []).map(({ key, value }) => [key, value]));
    const now = useNow();
    const isLive = info.status === "RUNNING" || info.status === "SCHEDULED";
    const base = path("runs", info.run_id);
    const tabs = [
        { id: "overview", label: "Overview", to: base },
        { id: "curves", label: "Curves", to: `${base}?tab=curves`, count: data.metrics?.length ?? 0 },
        { id: "artifacts", label: "Artifacts", to: `${base}?tab=artifacts` },
        ...(tags.has("aloft.job") ? [{ id: "log", label: "Log", to: `${base}?tab=log` }] : []),
    ];
    const crumbs = [
        { label: "Experiments", to: "/experiments" },
        { label: experiment.data?.name ?? info.experiment_id, to: path("experiments", info.experiment_id) },
    ];
    const user = tags.get("mlflow.user") ?? info.user_id;
    const parent = tags.get("mlflow.parentRunId");
    if (parent !== undefined) crumbs.push({ label: `parent ${parent.slice(0, 8)}`, to: path("runs", parent) });
    return (
        <Page title={runName(run)} crumbs={crumbs} badge={<RunStatus run={run} />}
            note={(
                <>
                    <span>Started <RelativeTime at={info.start_time} /></span>
                    {isStale(run, now)
                        ? <span>nothing heard since <RelativeTime at={lastSign(run)} />; its client may have died</span>
                        : <span>{isLive ? "running for" : "took"} <Elapsed from={info.start_time} to={info.end_time} /></span>}
                    {user && <span>by <bdi>{user.slice(0, 60)}</bdi></span>}
                    <CopyButton text={info.run_id} label="Copy id" />
                </>
            )}
            actions={(
                <>
                    <button type="button" className="button" onClick={() => setDialog("rename")}>Rename</button>
                    {info.lifecycle_stage === "active"
                        ? <button type="button" className="button danger" onClick={() => setDialog("delete")}>Delete</button>
                        : <button type="button" className="button" onClick={() => void restoreRun(info.run_id).then(reload)}>Restore</button>}
                </>
            )}>
            {info.lifecycle_stage !== "active" && <p className="offline">This run is deleted. Restore it to change it.</p>}
            <Tabs items={tabs} current={tab} />
            {tab === "curves" && <Curves run={run} />}
            {tab === "artifacts" && <Artifacts runID={info.run_id} />}
            {tab === "log" && tags.has("aloft.job") && <Log job={tags.get("aloft.job") ?? ""} isLive={isLive} />}
            {tab === "overview" && <Overview run={run} tags={tags} />}
            {dialog === "rename" && <RenameDialog run={run} reload={reload} onClose={() => setDialog(null)} />}
            {dialog === "delete" && <DeleteDialog run={run} onClose={() => setDialog(null)} />}
        </Page>
    );
}

function RenameDialog({ run, reload, onClose }: { run: Run; reload: () => void; onClose: () => void }) {
    const [name, setName] = useState(() => runName(run));
    return (
        <ConfirmDialog title="Rename this run" confirm="Rename" onClose={onClose}
            onConfirm={() => renameRun(run.info.run_id, name).then(reload)}>
            <Field label="Name">
                {(field) => <input id={field} className="input" value={name} required onChange={(event) => setName(event.target.value)} />}
            </Field>
        </ConfirmDialog>
    );
}

function DeleteDialog({ run: { info }, onClose }: { run: Run; onClose: () => void }) {
    return (
        <ConfirmDialog title="Delete this run?" confirm="Delete" danger onClose={onClose}
            onConfirm={async () => {
                await deleteRun(info.run_id);
                toast("Deleted the run.", () => void restoreRun(info.run_id).then(() => navigate(path("runs", info.run_id))));
                navigate(path("experiments", info.experiment_id));
            }}>
            <p className="soft">It is hidden from lists and can be restored.</p>
        </ConfirmDialog>
    );
}

function Overview({ run, tags }: { run: Run; tags: Map<string, string> }) {
    const { data, inputs, info } = run;
    const shownTags = (data.tags ?? []).filter(({ key }) => !key.startsWith("mlflow.") && !key.startsWith("aloft."));
    const note = tags.get("mlflow.note.content");
    const params = withJobParameters(data.params ?? [], data.tags ?? []);
    return (
        <div className="grid-main">
            <div className="stack">
                {note !== undefined && <Card title="Note"><p className="note" tabIndex={0}>{note.slice(0, 20_000)}</p></Card>}
                <Card title="Metrics" flush>
                    <MetricTable metrics={data.metrics ?? []} curves={`${path("runs", info.run_id)}?tab=curves`} />
                </Card>
                <Card title="Parameters" flush>
                    <KeyTable items={params} label="Parameters" empty="No parameters were logged." />
                </Card>
            </div>
            <div className="stack">
                <Card title="Record"><Record run={run} tags={tags} /></Card>
                <RegisteredAs run={info.run_id} />
                <Family run={run} parent={tags.get("mlflow.parentRunId")} />
                <Datasets inputs={inputs?.dataset_inputs ?? []} />
                <Card title="Tags" flush>
                    <KeyTable items={shownTags} label="Tags" empty="No tags of its own." />
                </Card>
            </div>
        </div>
    );
}

const GIVEN = "aloft.parameter.";

/** What was logged, and what the job was given where the script did not log it. */
function withJobParameters(params: KeyValue[], tags: KeyValue[]): KeyValue[] {
    const logged = new Set(params.map(({ key }) => key));
    const given = tags.filter(({ key }) => key.startsWith(GIVEN)).map(({ key, value }) => ({ key: key.slice(GIVEN.length), value }));
    return [...params, ...given.filter(({ key }) => !logged.has(key))];
}

/** Versions of models that were registered from this run. */
function RegisteredAs({ run }: { run: string }) {
    const versions = useQuery(`versions/of/${run}`, () => searchVersions(`run_id = ${quote(run)}`, 50), { invalidateOn: ["version"] }).data ?? [];
    if (versions.length === 0) return null;
    return (
        <Card title="Registered as" flush>
            <ul className="list">
                {versions.slice(0, 20).map((version) => (
                    <li key={`${version.name} ${version.version}`}>
                        <div className="grow cut"><Link to={path("models", version.name, "versions", version.version)}><bdi>{version.name.slice(0, 200)}</bdi> v{version.version}</Link></div>
                        {version.aliases?.slice(0, 3).map((alias) => <span key={alias} className="chip">{alias}</span>)}
                    </li>
                ))}
            </ul>
        </Card>
    );
}

/** Where the code and its environment came from, as far as the client or the job said. */
function Record({ run, tags }: { run: Run; tags: Map<string, string> }) {
    const jobID = tags.get("aloft.job");
    const job = useQuery(jobID ? `job/${jobID}` : null, () => call("GetJob", { path: { job: jobID ?? "" } }), { staleTime: 30_000 }).data;
    const commit = tags.get("mlflow.source.git.commit") ?? tags.get("aloft.code") ?? job?.snapshot;
    const sweep = tags.get("aloft.sweep");
    const environment = tags.get("aloft.environment") ?? job?.attempts.map((attempt) => attempt.environment).filter(Boolean).pop();
    const digest = (text: string) => <span className="mono small" title={text}>{text.length > 40 ? `${text.slice(0, 12)}…` : text} <CopyButton text={text} /></span>;
    return (
        <DescriptionList items={[
            ["Run", <span key="id" className="mono small">{run.info.run_id}</span>],
            ["Sweep", sweep === undefined ? undefined : <Link to={path("sweeps", sweep)}>Trial {tags.get("aloft.trial")}</Link>],
            ["Job", jobID === undefined ? undefined : <Link to={path("jobs", jobID)}>{job?.job.name ?? "job"} <span className="mono small">{jobID.slice(0, 8)}</span></Link>],
            ["Command", job && <span key="command" className="mono small">{job.command.slice(0, 400)}</span>],
            ["Source", tags.get("mlflow.source.name")],
            ["Code", commit === undefined ? undefined : digest(commit)],
            ["Branch", tags.get("mlflow.source.git.branch")],
            ["Repository", tags.get("mlflow.source.git.repoURL")],
            ["Environment", environment === undefined ? undefined : digest(environment)],
            ["Stopped early", tags.has("aloft.stoppedEarly") ? `after ${tags.get("aloft.stoppedEarly") ?? ""} steps` : undefined],
            ["Artifacts", <span key="uri" className="mono small">{run.info.artifact_uri}</span>],
        ]} />
    );
}
