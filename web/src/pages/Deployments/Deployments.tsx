import { call } from "../../api/client";
import type { Schemas } from "../../api/generated";
import { Card, Code, Page, Status } from "../../components/Basics";
import { Empty, Loaded } from "../../components/State";
import { Ago } from "../../components/Time";
import { percent } from "../../core/format";
import { useQuery } from "../../core/query";
import { Link, path } from "../../core/router";

type Deployment = Schemas["DeploymentItem"];

export function deploymentPath(item: { name: string; environment: string }): string {
    return `${path("deployments", item.name)}?environment=${encodeURIComponent(item.environment)}`;
}

export function Deployments() {
    const query = useQuery("deployments", () => call("ListDeployments", {}), { on: ["deployment", "revision", "rollout"], every: 5000 });
    return (
        <Page title="Deployments" note="Models that answer at an address, by environment.">
            <Loaded query={query}>
                {({ deployments }) => (deployments.length === 0
                    ? (
                        <Card>
                            <Empty title="No deployments yet">
                                <p>Put a registered model behind an address:</p>
                                <Code text={"aloft deploy my-model --model my-model/1 --environment staging --wait"} />
                            </Empty>
                        </Card>
                    )
                    : (
                        <div className="charts">
                            {deployments.map((item) => <DeploymentCard key={`${item.name} ${item.environment}`} item={item} />)}
                        </div>
                    ))}
            </Loaded>
        </Page>
    );
}

function DeploymentCard({ item }: { item: Deployment }) {
    const { live, underWay } = item;
    return (
        <Card title={<Link to={deploymentPath(item)}><bdi>{item.name}</bdi></Link>} side={<span className="chip">{item.environment}</span>}>
            <div className="stack tight">
                {live ? (
                    <div className="row between">
                        <span><Status state="live" /> <Link to={path("models", live.model, "versions", String(live.version))}>{live.model} v{live.version}</Link></span>
                        <span className="muted small">revision {live.number}, {percent(live.weightPercent)}</span>
                    </div>
                ) : <div className="muted">Nothing is live.</div>}
                {underWay && (
                    <div className="row between">
                        <span><Status state={underWay.rollout?.state === "paused" ? "paused" : underWay.state} /> {underWay.model} v{underWay.version}</span>
                        <span className="muted small">{percent(underWay.weightPercent)} of the traffic</span>
                    </div>
                )}
                {live?.liveAt && <div className="muted small">Live since <Ago at={live.liveAt} /></div>}
            </div>
        </Card>
    );
}
