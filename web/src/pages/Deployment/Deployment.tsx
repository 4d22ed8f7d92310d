import { useState } from "react";
import { call } from "../../api/client";
import type { Schemas } from "../../api/generated";
import { Card } from "../../components/Card";
import { CopyButton } from "../../components/Copy";
import { Page } from "../../components/Page";
import { StatusBadge } from "../../components/Status";
import { Tabs } from "../../components/Tabs";
import { ConfirmDialog } from "../../components/Form";
import { ResponsiveTable, type ResponsiveColumn } from "../../components/ResponsiveTable";
import { Empty, Loaded } from "../../components/State";
import { toast } from "../../components/Toast";
import { RelativeTime } from "../../components/Time";
import { useDeployments } from "../../components/deployments";
import { percent } from "../../core/format";
import { useQuery } from "../../core/query";
import { Link, path, useSearchParam } from "../../core/router";
import { LiveTraffic } from "./LiveTraffic";
import { Checks, Rollout } from "./Rollout";
import { TryIt } from "./TryIt";
import { NotAnswered } from "../../components/NotAnswered";
import { trafficColor } from "./colors";

type Revision = Schemas["RevisionItem"];
type Reply = Schemas["ShowDeploymentReply"];
type Action = "promote" | "pause" | "resume" | "abort" | "rollback";

const words: Record<Action, { title: string; text: string; done: string; danger: boolean }> = {
    promote: { title: "Give it all traffic now?", text: "The remaining steps of the rollout are skipped.", done: "Promoted.", danger: false },
    pause: { title: "Pause the rollout?", text: "The traffic stays split as it is until the rollout is resumed.", done: "Paused.", danger: false },
    resume: { title: "Resume the rollout?", text: "It goes on with the step it was at.", done: "Resumed.", danger: false },
    abort: { title: "Abort the rollout?", text: "All traffic goes back to the live revision at once.", done: "Aborted.", danger: true },
    rollback: { title: "Roll back?", text: "All traffic goes to the revision before, at once. It is still in memory.", done: "Rolled back.", danger: true },
};

/** One deployment in one environment: who gets the traffic, and why. */
export function DeploymentPage({ name }: { name: string }) {
    const [environment] = useSearchParam("environment", "production");
    const [tab] = useSearchParam("tab", "traffic");
    const query = useQuery(`deployment/${name}/${environment}`, () =>
        call("ShowDeployment", { path: { deployment: name }, query: { environment, limit: 50 } }),
    {
        invalidateOn: ["deployment", "revision", "rollout"],
        // The evidence of a step grows with each request.
        refetchInterval: (known) => (known?.deployment.underWay ? 2000 : undefined),
    });
    const all = useDeployments();
    const [asking, setAsking] = useState<Action | null>(null);
    const reply = query.data;
    const underWay = reply?.deployment.underWay;
    const rollout = underWay?.rollout?.state;
    const base = path("deployments", name);
    const others = (all.data?.deployments ?? []).filter((item) => item.name === name);

    const act = async (action: Action) => {
        const body = { environment };
        if (action === "rollback") await call("Rollback", { path: { deployment: name }, body });
        else await call("SteerRollout", { path: { deployment: name }, body: { ...body, action } });
        await query.reload();
        toast(words[action].done);
    };
    const button = (action: Action, label: string, look = "") => (
        <button type="button" className={`button ${look}`} onClick={() => setAsking(action)}>{label}</button>
    );
    return (
        <Page title={name} crumbs={[{ label: "Deployments", to: "/deployments" }]} badge={<span className="chip">{environment}</span>}
            note={reply && <span className="mono small">{reply.deployment.endpoint} <CopyButton text={reply.deployment.endpoint} className="inline" /></span>}
            actions={(
                <>
                    <Link className="button" to={`/predictions?deployment=${encodeURIComponent(name)}&environment=${encodeURIComponent(environment)}`}>Predictions</Link>
                    {rollout === "running" && button("pause", "Pause")}
                    {rollout === "paused" && button("resume", "Resume")}
                    {(rollout === "running" || rollout === "paused") && button("promote", "Promote", "primary")}
                    {(rollout === "running" || rollout === "paused") && button("abort", "Abort", "danger")}
                    {reply?.deployment.standby && !underWay && button("rollback", "Roll back", "danger")}
                </>
            )}>
            <Environments names={others.map((item) => item.environment)} current={environment} base={base} />
            <Tabs current={tab} items={[
                { id: "traffic", label: "Traffic", to: `${base}?environment=${environment}` },
                { id: "try", label: "Try it", to: `${base}?environment=${environment}&tab=try` },
                { id: "history", label: "History", to: `${base}?environment=${environment}&tab=history`, count: reply?.history.length ?? 0 },
            ]} />
            <Loaded query={query} lines={8}>
                {(known) => {
                    if (tab === "history") return <History history={known.history} />;
                    if (tab === "try") return <TryIt endpoint={known.deployment.endpoint} revision={known.deployment.live ?? known.deployment.underWay} />;
                    return <Traffic reply={known} />;
                }}
            </Loaded>
            {asking !== null && (
                <ConfirmDialog title={words[asking].title} confirm={words[asking].title.replace(/ (?:the rollout|it all traffic now)?\??$/, "").replace(/\?$/, "")}
                    danger={words[asking].danger} onConfirm={() => act(asking)} onClose={() => setAsking(null)}>
                    <p className="soft">{words[asking].text}</p>
                </ConfirmDialog>
            )}
        </Page>
    );
}

/** Where else a deployment of this name is. */
function Environments({ names, current, base }: { names: string[]; current: string; base: string }) {
    if (names.length < 2) return null;
    return (
        <div className="toolbar" role="group" aria-label="Environments">
            {names.map((name) => (
                <Link key={name} className="button small" aria-current={name === current ? "true" : undefined}
                    to={`${base}?environment=${encodeURIComponent(name)}`}>{name}</Link>
            ))}
        </div>
    );
}

function Traffic({ reply }: { reply: Reply }) {
    const { live, underWay, standby } = reply.deployment;
    const revisions = [live, underWay, standby].filter((each): each is Revision => each !== undefined && each !== null);
    if (revisions.length === 0) {
        const last = reply.history[0];
        return (
            <div className="stack">
                <Card><Empty title="Nothing is live here">{last?.reason && <p>{last.reason}</p>}</Empty></Card>
                {last && <Checks revision={last} />}
            </div>
        );
    }
    const withTraffic = revisions.filter(({ weightPercent }) => weightPercent > 0);
    return (
        <div className="stack">
            <Card title="Traffic" side={live?.liveAt && <span className="small">revision {live.number} live since <RelativeTime at={live.liveAt} /></span>}>
                <div className="stack">
                    {withTraffic.length > 0 && <div className="split" role="img" aria-label={withTraffic.map((each) => `revision ${each.number}: ${percent(each.weightPercent)}`).join(", ")}>
                        {withTraffic.map((each) => (
                            <span key={each.id} style={{ flexGrow: each.weightPercent, flexBasis: 0, background: trafficColor(each.number) }}>
                                {each.weightPercent >= 8 ? `r${each.number} · ${percent(each.weightPercent)}` : ""}
                            </span>
                        ))}
                    </div>}
                    <ul className="list" style={{ margin: "0 -18px -16px" }}>
                        {revisions.map((each) => <RevisionLine key={each.id} revision={each} />)}
                    </ul>
                </div>
            </Card>
            <LiveTraffic name={reply.deployment.name} environment={reply.deployment.environment} revisions={revisions} />
            {underWay && <Rollout revision={underWay} />}
            {underWay && <Checks revision={underWay} />}
            {!underWay && live?.rollout && <Rollout revision={live} />}
            {!underWay && live && <Checks revision={live} />}
        </div>
    );
}

function RevisionLine({ revision }: { revision: Revision }) {
    return (
        <li>
            <span className="dot" style={{ background: trafficColor(revision.number) }} />
            <div className="grow">
                <div className="row">
                    <strong>Revision {revision.number}</strong> <StatusBadge state={revision.state} />
                    <Link to={path("models", revision.model, "versions", String(revision.version))}>{revision.model} v{revision.version}</Link>
                    {revision.runtime && <span className="chip">{revision.runtime}</span>}
                </div>
                {revision.reason && <div className="muted small">{revision.reason.slice(0, 400)}</div>}
                {revision.state === "live" && <NotAnswered revision={revision} />}
            </div>
            <strong className="numbers">{percent(revision.weightPercent)}</strong>
        </li>
    );
}

function History({ history }: { history: Revision[] }) {
    if (history.length === 0) return <Card><Empty title="No revisions yet" /></Card>;
    return (
        <Card flush>
            <ResponsiveTable label="Revisions" rows={history} rowID={({ id }) => id} columns={revisionColumns} />
        </Card>
    );
}

const revisionColumns: ResponsiveColumn<Revision>[] = [
    { title: "Revision", cell: ({ number }) => <><span className="phone-only">Revision </span>{number}</> },
    { title: "State", cell: ({ state }) => <StatusBadge state={state} /> },
    { title: "Model", cell: ({ model, version }) => <Link to={path("models", model, "versions", String(version))}>{model} v{version}</Link> },
    { title: "Made", cell: ({ createdAt }) => <RelativeTime at={createdAt} /> },
    { title: "By", cell: ({ createdBy }) => <bdi>{createdBy}</bdi> },
    {
        title: "Why",
        cell: ({ reason, checks }) => (
            <>
                {reason?.slice(0, 300)}
                {checks.filter(({ held }) => held === false).map(({ check, explanation }) => <div key={check} className="small muted">{explanation}</div>)}
            </>
        ),
    },
];
