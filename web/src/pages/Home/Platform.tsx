import { call } from "../../api/client";
import { Card, Status } from "../../components/Basics";
import { Empty, ErrorBox } from "../../components/State";
import { Ago } from "../../components/Time";
import { useQuery } from "../../core/query";
import { Link, path } from "../../core/router";

const DAY_MS = 86_400_000;

interface Need {
    key: string;
    to: string;
    state: string;
    title: string;
    reason: string;
    at: string | undefined;
}

/** What failed in the last day and waits for a person. */
export function Attention() {
    const jobs = useQuery("home/jobs", () => call("ListJobs", { query: { limit: 100 } }), { on: ["job"], every: 30_000 });
    const since = Date.now() - DAY_MS;
    const needs: Need[] = [];
    for (const job of jobs.data?.jobs ?? []) {
        if (job.outcome !== "failed" || !job.endedAt || Date.parse(job.endedAt) < since) continue;
        needs.push({ key: `j ${job.id}`, to: path("jobs", job.id), state: "failed", title: job.name, reason: job.failure?.message ?? "", at: job.endedAt });
    }
    if (jobs.error !== null && jobs.data === undefined) return <ErrorBox error={jobs.error} />;
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
