import { call } from "../../api/client";
import { Card } from "../../components/Card";
import { StatusBadge } from "../../components/Status";
import { Empty } from "../../components/State";
import { RelativeTime } from "../../components/Time";
import { ratesOf, rateText, shareText, useTraffic, type Rates } from "../../components/traffic";
import { percent } from "../../core/format";
import { useQuery } from "../../core/query";
import { Link, path } from "../../core/router";
import { deploymentPath, useDeployments } from "../../components/deployments";

/** What answers requests. */
export function Live() {
    const { data } = useDeployments();
    const traffic = useTraffic(10).data;
    const rates = (id: string | undefined) => (traffic === undefined ? undefined : ratesOf(traffic.series.find(({ revision }) => revision === id), traffic));
    const all = data?.deployments ?? [];
    if (all.length === 0) return null;
    return (
        <Card title="Live" flush side={<><Link to="/predictions">Predictions</Link> · <Link to="/deployments">All deployments</Link></>}>
            <ul className="list">
                {all.slice(0, 8).map((item) => (
                    <li key={item.endpoint}>
                        <div className="grow">
                            <div className="cut"><Link to={deploymentPath(item)}><bdi>{item.name}</bdi></Link> <span className="chip">{item.environment}</span></div>
                            <div className="cut muted small">{item.live ? `${item.live.model} v${item.live.version}, ${ratesText(rates(item.live.id))}` : "nothing live"}</div>
                        </div>
                        {item.underWay
                            ? <span className="row"><StatusBadge state={item.underWay.state} /><span className="numbers small">{percent(item.underWay.weightPercent)}</span></span>
                            : item.live && (item.live.isAnswered ? <StatusBadge state="live" /> : <StatusBadge state="not answered" tone="warn" />)}
                    </li>
                ))}
            </ul>
        </Card>
    );
}

/** What is failed and refused is said only where there is some. */
function ratesText(rates: Rates | undefined): string {
    const parts = [`${rateText(rates?.perSecond ?? 0)} requests/s`];
    if ((rates?.failed ?? 0) > 0) parts.push(`${shareText(rates?.failed)} failed`);
    if ((rates?.refused ?? 0) > 0) parts.push(`${shareText(rates?.refused)} refused`);
    return parts.join(", ");
}

export function useLiveJobs() {
    return useQuery("home/live-jobs", () => call("ListJobs", { query: { limit: 20, live: true } }), { invalidateOn: ["job"] });
}

/** Jobs and sweeps under way. */
export function Working() {
    const jobs = useLiveJobs();
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
                            <StatusBadge state={job.state} />
                            <div className="grow cut"><Link to={path("jobs", job.id)}><bdi>{job.name.slice(0, 200)}</bdi></Link></div>
                            <span className="muted small"><RelativeTime at={job.startedAt ?? job.createdAt} /></span>
                        </li>
                    ))}
                </ul>
            )}
        </Card>
    );
}
