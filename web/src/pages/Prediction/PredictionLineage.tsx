import type { Schemas } from "../../api/generated";
import { Card } from "../../components/Card";
import { CopyButton } from "../../components/Copy";
import { DescriptionList } from "../../components/DescriptionList";
import { StatusBadge } from "../../components/Status";
import { LineageSteps } from "../../components/LineageSteps";
import { number, percent } from "../../core/format";
import { Link, path } from "../../core/router";
import { Evidence } from "../Deployment/Rollout";
import { deploymentOf } from "../Predictions/Predictions";

type Reply = Schemas["ShowPredictionReply"];

/** More params or metrics than this stand on the run's own page. */
const SHOWN = 12;

/** The lineage of a prediction: from the answer back to the data. */
export function PredictionLineage({ reply }: { reply: Reply }) {
    const { prediction: item, walk: lineage } = reply;
    const { run, job, code, step } = lineage;
    const digest = (text: string) => <span className="mono" title={text}>{text.slice(0, 10)}</span>;
    const commit = code?.commit ?? code?.snapshot;
    return (
        <Card title="Where it came from">
            <LineageSteps label="From the answer back to the data" steps={[
                { label: "Prediction", value: <span className="mono">{item.id.slice(-8)}</span>, note: `answered with ${item.status}`, isHere: true },
                {
                    label: `Revision, ${item.environment}`,
                    value: <Link to={`${deploymentOf(item)}&tab=history`}><bdi>{item.deployment.slice(0, 40)}</bdi> {item.number === undefined ? "" : `r${item.number}`}</Link>,
                    note: lineage.revision?.state ?? "no longer known",
                },
                item.rolloutStep !== undefined && {
                    label: `Rollout step ${item.rolloutStep + 1}`, value: step ? `at ${percent(step.weightPercent)}` : "no longer known",
                    note: step && (step.verdict ? <StatusBadge state={step.verdict} /> : "not decided yet"),
                },
                {
                    label: "Version", value: <Link to={path("models", item.model, "versions", item.version)}><bdi>{item.model.slice(0, 40)}</bdi> v{item.version}</Link>,
                    note: lineage.version ? lineage.version.aliases.join(", ") : "no longer registered",
                },
                run !== undefined && { label: "Run", value: <Link to={path("runs", run.id)}><bdi>{run.name.slice(0, 60)}</bdi></Link>, note: <bdi>{run.experimentName.slice(0, 60)}</bdi> },
                job !== undefined && { label: "Job", value: <Link to={path("jobs", job.id)}><bdi>{job.name.slice(0, 60)}</bdi></Link>, note: job.outcome ?? job.state },
                code !== undefined && {
                    label: "Code", value: commit === undefined ? <bdi title={code.source}>{lastPart(code.source ?? code.command ?? "")}</bdi> : digest(commit),
                    note: commit === undefined ? undefined : lastPart(code.source ?? code.command ?? ""),
                },
                lineage.environment !== undefined && { label: "Environment", value: digest(lineage.environment) },
                ...lineage.datasets.slice(0, 3).map((data, index) => ({
                    label: lineage.datasets.length > 1 ? `Data ${index + 1}` : "Data",
                    value: run ? <Link to={path("runs", run.id)}><bdi>{data.name.slice(0, 60)}</bdi></Link> : <bdi>{data.name.slice(0, 60)}</bdi>,
                    note: [data.context, data.digest].filter(Boolean).join(", ").slice(0, 80),
                })),
            ]} />
        </Card>
    );
}

/** A script's name without its folders. */
function lastPart(text: string): string {
    return (text.split("/").pop() ?? "").slice(0, 60);
}

/** What is known of each place of the lineage. */
export function Record({ reply }: { reply: Reply }) {
    const { prediction: item, walk: lineage } = reply;
    return (
        <Card title="Record">
            <DescriptionList items={[
                ["Asked as", reply.form],
                ["Endpoint", <span key="endpoint" className="mono small">{item.endpoint}</span>],
                ["Made by", lineage.revision && <bdi>{lineage.revision.createdBy}</bdi>],
                ["Model file", <Digest key="file" text={item.digest} />],
                ["Source", lineage.version && <bdi>{lineage.version.source.slice(0, 200)}</bdi>],
                ["Converted by", lineage.version?.conversionJob && <Link to={path("jobs", lineage.version.conversionJob)} className="mono small">job {lineage.version.conversionJob.slice(0, 8)}</Link>],
                ["Snapshot", lineage.code?.snapshot && <Digest text={lineage.code.snapshot} />],
                ["Commit", lineage.code?.commit && <Digest text={lineage.code.commit} />],
                ["Command", lineage.code?.command && <span className="mono small">{lineage.code.command.slice(0, 300)}</span>],
                ["Environment", lineage.environment && <Digest text={lineage.environment} />],
                ["Trace", item.traceID && <Digest text={item.traceID} />],
            ]} />
        </Card>
    );
}

function Digest({ text }: { text: string }) {
    return <span className="mono small" title={text}>{text.slice(0, 12)} <CopyButton text={text} className="inline" /></span>;
}

/** How the rollout's step, in which it was answered, was judged. */
export function StepCard({ reply }: { reply: Reply }) {
    const { step } = reply.walk;
    if (!step) return null;
    return <Card title={`Rollout step ${(reply.prediction.rolloutStep ?? 0) + 1}`}><Evidence step={step} /></Card>;
}

/** The run that trained the version, and its data. */
export function RunCard({ reply }: { reply: Reply }) {
    const { run, datasets } = reply.walk;
    if (!run) return null;
    const metrics = Object.entries(run.metrics).slice(0, SHOWN).map(([name, value]): [string, string] => [name, number(value)]);
    const params = Object.entries(run.params).slice(0, SHOWN).map(([name, value]): [string, string] => [name, value.slice(0, 200)]);
    return (
        <Card title="Run" side={<Link to={path("runs", run.id)}>Open</Link>}>
            <div className="stack">
                <DescriptionList items={[["By", <bdi key="by">{run.user}</bdi>], ["Ended as", <StatusBadge key="status" state={run.status} />]]} />
                {params.length > 0 && <div><h3>Parameters</h3><DescriptionList items={params} /></div>}
                {metrics.length > 0 && <div><h3>Metrics</h3><DescriptionList items={metrics} /></div>}
                <div>
                    <h3>Data</h3>
                    {datasets.length === 0 ? <p className="muted">The run noted no inputs.</p> : (
                        <ul>{datasets.map((data) => (
                            <li key={`${data.name} ${data.digest}`}>
                                <bdi>{data.name.slice(0, 100)}</bdi> {data.context && <span className="chip">{data.context.slice(0, 40)}</span>}
                                <div className="muted small mono cut" title={data.source.slice(0, 300)}>{data.digest} {data.sourceType}</div>
                            </li>
                        ))}</ul>
                    )}
                </div>
            </div>
        </Card>
    );
}
