import type { Schemas } from "../../api/generated";
import { Card } from "../../components/Card";
import { CodeBlock } from "../../components/Copy";
import { Page } from "../../components/Page";
import { StatusBadge } from "../../components/Status";
import { Sparkline } from "../../components/Sparkline";
import { Empty, Loaded } from "../../components/State";
import { NotAnswered } from "../../components/NotAnswered";
import { deploymentPath, useDeployments } from "../../components/deployments";
import { millisecondsText, perSecond, ratesOf, rateText, shareText, useTraffic, type Traffic } from "../../components/traffic";
import { RelativeTime } from "../../components/Time";
import { UnroutedList } from "../../components/Unrouted";
import { percent } from "../../core/format";
import { Link, path } from "../../core/router";

type Deployment = Schemas["DeploymentItem"];

export function Deployments() {
    const query = useDeployments();
    const traffic = useTraffic(10);
    return (
        <Page title="Deployments" note="Models that answer at an address, by environment.">
            <Loaded query={query}>
                {({ deployments }) => (deployments.length === 0
                    ? (
                        <Card>
                            <Empty title="No deployments yet">
                                <p>Put a registered model behind an address:</p>
                                <CodeBlock text={"aloft deploy my-model --model my-model/1 --environment staging --wait"} />
                            </Empty>
                        </Card>
                    )
                    : (
                        <div className="stack">
                            <div className="charts">
                                {deployments.map((item) => <DeploymentCard key={`${item.name} ${item.environment}`} item={item} traffic={traffic.data} />)}
                            </div>
                            {(traffic.data?.unrouted.length ?? 0) > 0 && (
                                <Card title="Came to no revision" flush><UnroutedList unrouted={traffic.data?.unrouted ?? []} minutes="10" withNames /></Card>
                            )}
                        </div>
                    ))}
            </Loaded>
        </Page>
    );
}

function DeploymentCard({ item, traffic }: { item: Deployment; traffic: Traffic | undefined }) {
    const { live, underWay } = item;
    return (
        <Card title={<Link to={deploymentPath(item)}><bdi>{item.name}</bdi></Link>} side={<span className="chip">{item.environment}</span>}>
            <div className="stack tight">
                {live ? (
                    <div className="row between">
                        <span><StatusBadge state="live" /> <Link to={path("models", live.model, "versions", String(live.version))}>{live.model} v{live.version}</Link></span>
                        <span className="muted small">revision {live.number}, {percent(live.weightPercent)}</span>
                    </div>
                ) : <div className="muted">Nothing is live.</div>}
                {underWay && (
                    <div className="row between">
                        <span><StatusBadge state={underWay.rollout?.state === "paused" ? "paused" : underWay.state} /> {underWay.model} v{underWay.version}</span>
                        <span className="muted small">{percent(underWay.weightPercent)} of the traffic</span>
                    </div>
                )}
                {live && !live.isAnswered && <NotAnswered revision={live} />}
                {live && <Rates item={item} traffic={traffic} />}
                {live?.liveAt && <div className="muted small">Live since <RelativeTime at={live.liveAt} /></div>}
            </div>
        </Card>
    );
}

/** Rates of the live revision, and the requests of all in the last ten minutes. */
function Rates({ item, traffic }: { item: Deployment; traffic: Traffic | undefined }) {
    const all = (traffic?.series ?? []).filter((series) => series.deployment === item.name && series.environment === item.environment);
    const live = all.find(({ revision }) => revision === item.live?.id);
    const rates = traffic === undefined ? undefined : ratesOf(live, traffic);
    const sums = traffic === undefined ? [] : all.map((series) => perSecond(series, traffic))
        .reduce<number[]>((sum, values) => values.map((value, index) => value + (sum[index] ?? 0)), []);
    return (
        <div className="rates">
            <dl>
                <div><dt>Requests/s</dt><dd>{rates === undefined ? "–" : rateText(rates.perSecond)}</dd></div>
                <div><dt>Failed</dt><dd>{shareText(rates?.failed)}</dd></div>
                <div><dt>Refused</dt><dd>{shareText(rates?.refused)}</dd></div>
                <div><dt>p99</dt><dd>{millisecondsText(rates?.p99)}</dd></div>
            </dl>
            {sums.length > 1 ? <Sparkline values={sums} label="Requests a second in the last ten minutes" /> : <span className="muted small">no requests lately</span>}
        </div>
    );
}
