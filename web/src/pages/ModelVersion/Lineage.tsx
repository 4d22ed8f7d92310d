import { call } from "../../api/client";
import type { ModelVersion, Run } from "../../api/mlflow";
import { StatusBadge } from "../../components/Status";
import { LineageSteps } from "../../components/LineageSteps";
import { number, percent } from "../../core/format";
import { useQuery } from "../../core/query";
import { Link, path } from "../../core/router";
import { runName } from "../Runs/rows";
import type { Entry } from "./Entries";
import type { Servable } from "./Servable";

/** The lineage of a version: from the data and the code to what serves. */
export function Lineage({ version, run, servable, parity, entries }: {
    version: ModelVersion; run: Run | undefined; servable: Servable | undefined; parity: number | undefined; entries: Entry[];
}) {
    const tags = new Map((run?.data.tags ?? []).map(({ key, value }) => [key, value]));
    const jobID = tags.get("aloft.job");
    const sweep = tags.get("aloft.sweep");
    const job = useQuery(jobID ? `job/${jobID}` : null, () => call("GetJob", { path: { job: jobID ?? "" } }));
    const data = run?.inputs?.dataset_inputs ?? [];
    const commit = tags.get("mlflow.source.git.commit") ?? job.data?.snapshot;
    const environment = job.data?.attempts.map((attempt) => attempt.environment).filter(Boolean).pop();
    const serving = entries.filter(({ revision }) => !revision.hasEnded);
    return (
        <LineageSteps label="From data to deployment" steps={[
            data.length > 0 && { label: "Data", value: <bdi>{data[0]?.dataset.name.slice(0, 80)}</bdi>, note: data.length > 1 ? `and ${data.length - 1} more` : data[0]?.dataset.digest },
            commit !== undefined && {
                label: "Code", value: <span className="mono" title={commit}>{commit.slice(0, 10)}</span>,
                note: tags.get("mlflow.source.name") ?? job.data?.command.slice(0, 60),
            },
            environment !== undefined && { label: "Environment", value: <span className="mono" title={environment}>{environment.slice(0, 10)}</span> },
            sweep !== undefined && { label: "Sweep", value: <Link to={path("sweeps", sweep)}>Trial {tags.get("aloft.trial") ?? ""}</Link> },
            jobID !== undefined && { label: "Job", value: <Link to={path("jobs", jobID)}>{job.data?.job.name.slice(0, 60) ?? jobID.slice(0, 8)}</Link>, note: job.data && (job.data.job.outcome ?? job.data.job.state) },
            run !== undefined && { label: "Run", value: <Link to={path("runs", run.info.run_id)}><bdi>{runName(run).slice(0, 60)}</bdi></Link>, note: run.info.status.toLowerCase() },
            { label: "Version", value: `${version.name.slice(0, 40)} v${version.version}`, isHere: true, note: version.aliases?.join(", ") },
            servable !== undefined && {
                label: "Served form", value: servable.manifest ? (servable.manifest.runtime === "onnx" ? "ONNX" : "Python worker") : <StatusBadge state={servable.state} />,
                note: parity === undefined ? undefined : `parity ${number(parity)}`,
            },
            ...serving.slice(0, 3).map((entry) => ({
                label: `Deployment, ${entry.environment}`,
                value: <Link to={`${path("deployments", entry.deployment)}?environment=${encodeURIComponent(entry.environment)}`}><bdi>{entry.deployment}</bdi></Link>,
                note: `${entry.revision.state}, ${percent(entry.revision.weightPercent)} of the traffic`,
            })),
        ]} />
    );
}
