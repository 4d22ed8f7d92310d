import { useMemo, useState } from "react";
import { call } from "../../api/client";
import type { Schemas } from "../../api/generated";
import { Card } from "../../components/Card";
import { CodeBlock, CopyButton } from "../../components/Copy";
import { DescriptionList } from "../../components/DescriptionList";
import { Page } from "../../components/Page";
import { StatusBadge } from "../../components/Status";
import { Chart, type Line } from "../../components/Chart";
import { ConfirmDialog } from "../../components/Form";
import { colorOf } from "../../components/palette";
import { ErrorBox, Skeleton } from "../../components/State";
import { RelativeTime, Elapsed } from "../../components/Time";
import { bytes, duration, number } from "../../core/format";
import { useMutation, useQuery } from "../../core/query";
import { Link, navigate, path } from "../../core/router";
import { asks, jobState, ordinal } from "../Jobs/Jobs";
import { Log } from "./Log";

type Reply = Schemas["GetJobReply"];

/** One job: its log as it is written, what it uses, and how it ended. */
export function JobPage({ id }: { id: string }) {
    const query = useQuery(`job/${id}`, () => call("GetJob", { path: { job: id } }), {
        invalidateOn: ["job"], refetchInterval: (known) => (known?.job.state === "queued" ? 5000 : undefined),
    });
    if (query.data !== undefined) return <Known reply={query.data} reload={query.reload} />;
    return (
        <Page title={`Job ${id.slice(0, 12)}`} crumbs={[{ label: "Jobs", to: "/jobs" }]}>
            {query.error !== null
                ? <ErrorBox error={query.error} retry={() => void query.reload()} />
                : <div className="card"><Skeleton lines={8} /></div>}
        </Page>
    );
}

function Known({ reply, reload }: { reply: Reply; reload: () => Promise<void> }) {
    const { job } = reply;
    const [stopping, setStopping] = useState(false);
    const again = useMutation(async () => {
        const made = await call("RetryJob", { path: { job: job.id } });
        navigate(path("jobs", made.id));
    });
    const isLive = job.state !== "ended";
    return (
        <Page title={job.name} plainTitle={job.name} crumbs={[{ label: "Jobs", to: "/jobs" }]} badge={<StatusBadge state={jobState(job)} />}
            note={(
                <>
                    <span>Queued <RelativeTime at={job.createdAt} /></span>
                    {job.startedAt && <span>{isLive ? "running for" : "took"} <Elapsed from={job.startedAt} to={job.endedAt} /></span>}
                    <span>by <bdi>{job.createdBy}</bdi></span>
                    <CopyButton text={job.id} label="Copy id" />
                </>
            )}
            actions={(
                <>
                    {!isLive && <button type="button" className="button" disabled={again.busy} onClick={() => void again.run()}>Run again</button>}
                    {isLive && <button type="button" className="button danger" disabled={job.state === "stopping"} onClick={() => setStopping(true)}>Stop</button>}
                </>
            )}>
            <ErrorBox error={again.error} />
            <div className="stack">
                {job.state === "queued" && job.place !== undefined && job.place !== null && (
                    <div className="card" role="status"><div className="card-body">
                        <strong>{ordinal(job.place)} of {job.waiting} in line</strong>
                        <div className="muted small">It waits: {job.waitsFor}.</div>
                    </div></div>
                )}
                {job.failure && (
                    <div className="error-box" role="alert">
                        <div>{job.failure.message}</div>
                        {job.failure.lastLine && <div className="mono small"><bdi>{job.failure.lastLine}</bdi></div>}
                        <code>{job.failure.code}</code>
                    </div>
                )}
                {job.stopReason && <p className="offline">Asked to stop: {job.stopReason.slice(0, 400)}</p>}
                <div className="grid-main">
                    <div className="stack">
                        <Log job={job.id} isLive={isLive} />
                        <Usage job={job.id} isLive={isLive} />
                    </div>
                    <About reply={reply} />
                </div>
            </div>
            {stopping && (
                <ConfirmDialog title="Stop this job?" confirm="Stop" danger onClose={() => setStopping(false)}
                    onConfirm={async () => {
                        await call("StopJob", { path: { job: job.id }, body: { reason: "stopped in the browser" } });
                        await reload();
                    }}>
                    <p className="soft">Its whole process tree ends. What it logged so far stays.</p>
                </ConfirmDialog>
            )}
        </Page>
    );
}

/** What was asked for, and how often it was tried. */
function About({ reply }: { reply: Reply }) {
    const { job } = reply;
    return (
        <div className="stack">
            <Card title="Record">
                <DescriptionList items={[
                    ["Project", <bdi key="project">{job.project}</bdi>],
                    ["Run", job.run ? <Link to={path("runs", job.run)} className="mono small">{job.run.slice(0, 12)}</Link> : undefined],
                    ["Group", job.group ? <span className="mono small">{job.group.slice(0, 40)}</span> : undefined],
                    ["Asks for", asks(job)],
                    ["Priority", String(job.priority)],
                    ["Code", reply.snapshot ? <span className="mono small" title={reply.snapshot}>{reply.snapshot.slice(0, 12)} <CopyButton text={reply.snapshot} /></span> : undefined],
                ]} />
            </Card>
            <Card title="Command"><CodeBlock text={reply.command} /></Card>
            {Object.keys(job.parameters).length > 0 && (
                <Card title="Parameters">
                    <DescriptionList items={Object.entries(job.parameters).map(([name, value]): [string, string] => [name, value.slice(0, 500)])} />
                </Card>
            )}
            <Attempts attempts={reply.attempts} />
        </div>
    );
}

function Attempts({ attempts }: { attempts: Schemas["AttemptView"][] }) {
    if (attempts.length === 0) return null;
    return (
        <Card title="Attempts" flush>
            <ul className="list">
                {attempts.map((attempt) => (
                    <li key={attempt.number}>
                        <div className="grow">
                            <div>Attempt {attempt.number}</div>
                            <div className="muted small"><RelativeTime at={attempt.claimedAt} /></div>
                        </div>
                        <div className="right small muted">
                            <div><Elapsed from={attempt.startedAt} to={attempt.endedAt} /></div>
                            {attempt.peakMemoryBytes !== undefined && <div>at most {bytes(attempt.peakMemoryBytes)}</div>}
                            {attempt.cpuSeconds !== undefined && <div>{duration(attempt.cpuSeconds * 1000)} of CPU</div>}
                        </div>
                    </li>
                ))}
            </ul>
        </Card>
    );
}

function Usage({ job, isLive }: { job: string; isLive: boolean }) {
    // Samples are files that the job's own shim writes: nobody tells of them.
    const query = useQuery(`usage/${job}`, () => call("GetJobUsage", { path: { job } }), { refetchInterval: isLive ? 3000 : undefined });
    const samples = query.data?.samples ?? [];
    if (samples.length < 2) return null;
    return (
        <div className="charts">
            <Card title="CPUs" flush><UsageChart samples={samples} of={({ cpus }) => cpus} unit="CPUs" index={0} label="CPUs over time" /></Card>
            <Card title="Memory" flush><UsageChart samples={samples} of={({ memoryBytes }) => memoryBytes / 1e6} unit="MB" index={1} label="Memory over time" /></Card>
        </div>
    );
}

type Sample = Schemas["GetJobUsageSample"];

function UsageChart({ samples, of, unit, index, label }: { samples: Sample[]; of: (sample: Sample) => number; unit: string; index: number; label: string }) {
    const lines = useMemo(
        (): Line[] => [{ id: unit, name: unit, color: colorOf(index), x: samples.map(({ seconds }) => seconds), y: samples.map(of) }], [samples]);
    return (
        <Chart lines={lines} label={label} kind="seconds" title="since its start" titleY={unit} sharedTooltip
            tooltip={(line, at) => ({ value: `${number(line.y[at])} ${unit}`, place: duration((line.x[at] ?? 0) * 1000), name: "" })} />
    );
}
