import { call } from "../../api/client";
import type { Schemas } from "../../api/generated";
import { Card } from "../../components/Card";
import { StatusBadge } from "../../components/Status";
import { kindOfFailure, reasonOf } from "../../components/failures";
import { ErrorBox } from "../../components/State";
import { RelativeTime } from "../../components/Time";
import { useQuery } from "../../core/query";
import { Link, path } from "../../core/router";
import { deploymentPath, useDeployments } from "../../components/deployments";
import { askedOf, refusedOf, shareText, useTraffic, type Traffic } from "../../components/traffic";

type Job = Schemas["JobView"];
type Bad = Schemas["ListRevisionsItem"];
type Deployment = Schemas["DeploymentItem"];

const DAY_MS = 86_400_000;
const SHOWN = 6;

interface Need {
    key: string;
    to: string;
    state: string;
    title: string;
    reason: string;
    at: string | undefined;
    /** How many of the same kind. */
    times: number;
}

export function useTroubles() {
    const jobs = useQuery("home/jobs", () => call("ListJobs", { query: { limit: 200 } }), { invalidateOn: ["job"] });
    const bad = useQuery("home/bad", () => call("ListRevisions", { query: { bad: true, limit: 40 } }), { invalidateOn: ["revision", "rollout"] });
    return { jobs, bad };
}

/** What failed in the last day, was not made good since, and waits for a person. */
export function Attention() {
    const { jobs, bad } = useTroubles();
    const deployments = useDeployments();
    const traffic = useTraffic(10);
    const since = Date.now() - DAY_MS;
    const all = deployments.data?.deployments ?? [];
    const needs = [
        ...all.flatMap(ofDeployment),
        ...ofTraffic(traffic.data, all),
        ...ofRevisions((bad.data?.revisions ?? []).filter(({ revision }) => Date.parse(revision.endedAt ?? "") > since), all),
        ...ofJobs(jobs.data?.jobs ?? [], since),
    ];
    const error = jobs.error ?? deployments.error ?? bad.error;
    if (error !== null && jobs.data === undefined) return <ErrorBox error={error} />;
    if (needs.length === 0) return null;
    return (
        <Card title="Needs a person" flush side={`${needs.length}`}>
            <ul className="list">
                {needs.slice(0, SHOWN).map((need) => (
                    <li key={need.key}>
                        <StatusBadge state={need.state} />
                        <div className="grow">
                            <div className="cut">
                                <Link to={need.to}><bdi>{need.title.slice(0, 200)}</bdi></Link>
                                {need.times > 1 && <span className="muted"> {need.times} times</span>}
                            </div>
                            <div className="cut muted small">{need.reason.slice(0, 300)}</div>
                        </div>
                        <span className="muted small"><RelativeTime at={need.at} /></span>
                    </li>
                ))}
                {needs.length > SHOWN && <li><Link to="/jobs?show=failed">{needs.length - SHOWN} more</Link></li>}
            </ul>
        </Card>
    );
}

/** From this share on, of at least so many requests, refusals are somebody's outage. */
const REFUSED_SHARE = 0.05;
const REFUSED_OF = 20;

/** Deployments whose callers get much wrong: the commonest outage is a client that broke its schema. */
function ofTraffic(traffic: Traffic | undefined, deployments: Deployment[]): Need[] {
    if (traffic === undefined) return [];
    return deployments.flatMap((item) => {
        const points = traffic.series.filter((series) => series.deployment === item.name && series.environment === item.environment)
            .flatMap((series) => series.points);
        const asked = points.reduce((sum, point) => sum + askedOf(point), 0);
        const refused = points.reduce((sum, point) => sum + refusedOf(point), 0);
        if (asked < REFUSED_OF || refused < asked * REFUSED_SHARE) return [];
        const last = Math.max(...points.filter((point) => refusedOf(point) > 0).map(({ at }) => at));
        return [{
            key: `t ${item.endpoint}`, to: deploymentPath(item), state: "refused", times: 1, at: new Date(last * 1000).toISOString(),
            title: `${item.name} in ${item.environment} refuses requests`,
            reason: `${shareText(refused / asked)} of ${asked} requests in the last ten minutes were refused (4xx): their callers send something else than the model takes, or too much.`,
        }];
    });
}

/** A check that does not hold, a rollout that somebody paused, or a live revision that is not answered. */
function ofDeployment(item: Deployment): Need[] {
    const revision = item.underWay;
    const awaited = item.live?.awaited.find(({ hasFailed }) => hasFailed);
    if (awaited !== undefined) {
        return [{
            key: `g ${item.endpoint}`, to: deploymentPath(item), state: "failed", at: item.live?.liveAt, times: 1,
            title: `${item.name} in ${item.environment}`, reason: `Gateway ${awaited.gateway} ${awaited.reason}`,
        }];
    }
    if (!revision) return [];
    const failed = revision.checks.find(({ held }) => held === false);
    if (failed === undefined && revision.rollout?.state !== "paused") return [];
    return [{
        key: `d ${item.endpoint}`, to: deploymentPath(item), state: failed ? "failed" : "paused", at: revision.createdAt, times: 1,
        title: `${item.name} in ${item.environment}`, reason: failed?.explanation ?? "The rollout is paused.",
    }];
}

/** The last attempt of a deployment, if it ended badly and nothing newer went in. */
function ofRevisions(bad: Bad[], deployments: Deployment[]): Need[] {
    const newest = new Map(deployments.map((item) =>
        [`${item.name} ${item.environment}`, Math.max(item.live?.number ?? 0, item.underWay?.number ?? 0)]));
    const seen = new Set<string>();
    return bad.flatMap(({ deployment, environment, revision }) => {
        const key = `${deployment} ${environment}`;
        if (seen.has(key) || (newest.get(key) ?? 0) > revision.number) return [];
        seen.add(key);
        const failed = revision.checks.find(({ held }) => held === false);
        return [{
            key: `r ${revision.id}`, to: deploymentPath({ name: deployment, environment }), state: revision.state, times: 1, at: revision.endedAt,
            title: `${deployment} in ${environment}: ${revision.model} v${revision.version}`,
            reason: failed?.explanation ?? revision.reason ?? "",
        }];
    });
}

/** Failed jobs by name and failure; those whose job ran well afterwards are left out. */
function ofJobs(jobs: Job[], since: number): Need[] {
    const well = new Set<string>();
    const groups = new Map<string, Need>();
    for (const job of jobs) {
        const name = `${job.project} ${job.name} ${job.name === "convert" ? JSON.stringify(job.parameters) : ""}`;
        if (job.outcome === "succeeded") well.add(name);
        if (job.outcome !== "failed" || well.has(name) || Date.parse(job.endedAt ?? "") < since) continue;
        const key = `${name} ${kindOfFailure(job)}`;
        const known = groups.get(key);
        if (known !== undefined) known.times += 1;
        else {
            groups.set(key, {
                key: `j ${job.id}`, to: path("jobs", job.id), state: "failed", times: 1,
                title: job.name === "convert" ? `convert ${job.parameters["model"] ?? ""}` : job.name,
                reason: reasonOf(job), at: job.endedAt,
            });
        }
    }
    return [...groups.values()];
}
