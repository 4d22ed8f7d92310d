import { call } from "../../api/client";
import type { Schemas } from "../../api/generated";
import { Card, Status } from "../../components/Basics";
import { Empty, ErrorBox } from "../../components/State";
import { Ago } from "../../components/Time";
import { percent } from "../../core/format";
import { useQuery } from "../../core/query";
import { Link, path } from "../../core/router";

type Deployment = Schemas["DeploymentItem"];

const DAY_MS = 86_400_000;

interface Need {
    key: string;
    to: string;
    state: string;
    title: string;
    reason: string;
    at: string | undefined;
}

export function useDeployments() {
    return useQuery("deployments", () => call("ListDeployments", {}), { on: ["deployment", "revision", "rollout"], every: 10_000 });
}

function deploymentPath(item: Deployment): string {
    return `${path("deployments", item.name)}?environment=${encodeURIComponent(item.environment)}`;
}

/** What failed in the last day and waits for a person. */
export function Attention() {
    const jobs = useQuery("home/jobs", () => call("ListJobs", { query: { limit: 100 } }), { on: ["job"], every: 30_000 });
    const deployments = useDeployments();
    const since = Date.now() - DAY_MS;
    const needs: Need[] = [];
    for (const item of deployments.data?.deployments ?? []) {
        const revision = item.underWay;
        if (!revision) continue;
        const failed = revision.checks.find(({ held }) => held === false);
        if (failed || revision.rollout?.state === "paused") {
            needs.push({
                key: `d ${item.endpoint}`, to: deploymentPath(item), state: failed ? "failed" : "paused", at: revision.createdAt,
                title: `${item.name} in ${item.environment}`, reason: failed?.explanation ?? "The rollout is paused.",
            });
        }
    }
    for (const job of jobs.data?.jobs ?? []) {
        if (job.outcome !== "failed" || !job.endedAt || Date.parse(job.endedAt) < since) continue;
        needs.push({ key: `j ${job.id}`, to: path("jobs", job.id), state: "failed", title: job.name, reason: job.failure?.message ?? "", at: job.endedAt });
    }
    const error = jobs.error ?? deployments.error;
    if (error !== null && jobs.data === undefined) return <ErrorBox error={error} />;
    if (needs.length === 0) return null;
    return (
        <Card title="Needs a person" flush side={`${needs.length}`}>
            <ul className="list">
                {needs.slice(0, 6).map((need) => (
                    <li key={need.key}>
                        <Status state={need.state} />
                        <div className="grow">
                            <div className="cut"><Link to={need.to}><bdi>{need.title.slice(0, 200)}</bdi></Link></div>
                            <div className="cut muted small">{need.reason.slice(0, 300)}</div>
                        </div>
                        <span className="muted small"><Ago at={need.at} /></span>
                    </li>
                ))}
                {needs.length > 6 && <li><Link to="/jobs?show=failed">{needs.length - 6} more</Link></li>}
            </ul>
        </Card>
    );
}

/** What answers requests. */
export function Live() {
    const { data } = useDeployments();
    const all = data?.deployments ?? [];
    if (all.length === 0) return null;
    return (
        <Card title="Live" flush side={<Link to="/deployments">All deployments</Link>}>
            <ul className="list">
                {all.slice(0, 8).map((item) => (
                    <li key={item.endpoint}>
                        <div className="grow">
                            <div className="cut"><Link to={deploymentPath(item)}><bdi>{item.name}</bdi></Link> <span className="chip">{item.environment}</span></div>
                            <div className="cut muted small">{item.live ? `${item.live.model} v${item.live.version}` : "nothing live"}</div>
                        </div>
                        {item.underWay
                            ? <span className="row"><Status state={item.underWay.state} /><span className="numbers small">{percent(item.underWay.weightPercent)}</span></span>
                            : item.live && <Status state="live" />}
                    </li>
                ))}
            </ul>
        </Card>
    );
}

/** Jobs and sweeps under way. */
export function Working() {
    const jobs = useQuery("home/live-jobs", () => call("ListJobs", { query: { limit: 20, live: true } }), { on: ["job"], every: 15_000 });
    const all = jobs.data?.jobs ?? [];
    if (jobs.data === undefined) return null;
    const running = all.filter(({ state }) => state !== "queued");
    const waiting = all.length - running.length;
    return (
        <Card title="Jobs" flush side={<Link to="/jobs">{waiting > 0 ? `${waiting} waiting` : "All jobs"}</Link>}>
            {running.length === 0 ? <Empty title="Nothing runs right now" /> : (
                <ul className="list">
                    {running.slice(0, 8).map((job) => (
                        <li key={job.id}>
                            <Status state={job.state} />
                            <div className="grow cut"><Link to={path("jobs", job.id)}><bdi>{job.name.slice(0, 200)}</bdi></Link></div>
                            <span className="muted small"><Ago at={job.startedAt ?? job.createdAt} /></span>
                        </li>
                    ))}
                </ul>
            )}
        </Card>
    );
}
