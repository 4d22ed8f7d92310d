import type { Schemas } from "../../api/generated";
import { Card } from "../../components/Card";
import { StatusBadge } from "../../components/Status";
import { ChecksTable } from "../../components/Checks";
import { ResponsiveTable, type ResponsiveColumn } from "../../components/ResponsiveTable";
import { RelativeTime } from "../../components/Time";
import { refusedOf } from "../../components/traffic";
import { count, duration, number, percent } from "../../core/format";

type Revision = Schemas["RevisionItem"];
type Step = Schemas["RolloutStepItem"];

/** The steps of a rollout, and what was measured of both revisions in each. */
export function Rollout({ revision }: { revision: Revision }) {
    const { rollout } = revision;
    if (!rollout) return null;
    const at = rollout.steps.length - 1;
    return (
        <Card title={`Rollout of revision ${revision.number}`} side={<StatusBadge state={rollout.state} />}>
            <div className="stack">
                <ol className="steps" aria-label="Steps">
                    {rollout.stepsPercent.map((share, index) => {
                        const isNow = index === at && (rollout.state === "running" || rollout.state === "paused");
                        const isDone = index < at || (index === at && rollout.state === "promoted");
                        const isUnseen = isDone && rollout.steps[index]?.sawTraffic === false;
                        return (
                            <li key={share} className={`step ${isNow ? "now" : isUnseen ? "unseen" : isDone ? "done" : ""}`} aria-current={isNow ? "step" : undefined}>
                                {percent(share)}{isUnseen && <span className="small"> nothing seen</span>}
                            </li>
                        );
                    })}
                    <li className="muted small" style={{ alignSelf: "center" }}>
                        held {duration(rollout.holdSeconds * 1000)} each{rollout.atLeast > 0 && `, and until ${count(rollout.atLeast)} requests came`}{rollout.abort.length > 0 && `; aborts if ${rollout.abort.join(" or ")}`}
                    </li>
                </ol>
                {revision.state === "rolling" && revision.reason && <p className="soft">{revision.reason.slice(0, 400)}</p>}
                {rollout.steps.map((step, index) => <Evidence key={step.startedAt} step={step} earlier={rollout.steps.slice(0, index)} />).reverse()}
                {rollout.falseAlarmRate !== undefined && rollout.falseAlarmRate !== null && (
                    <p className="muted small">The comparison raises a false alarm in at most {percent(rollout.falseAlarmRate * 100)} of rollouts, however often it looks.</p>
                )}
            </div>
        </Card>
    );
}

type Side = [string, Step["candidate"]];

const evidence: ResponsiveColumn<Side>[] = [
    { title: "Revision", hideTitle: true, className: "soft", cell: ([name]) => name },
    { title: "Requests", right: true, cell: ([, { requests }]) => count(requests) },
    {
        title: "Failed", right: true, className: "nowrap",
        cell: ([, { requests, errors }]) => <>{count(errors)}{requests > 0 && <span className="muted"> {percent(100 * errors / requests)}</span>}</>,
    },
    { title: "Refused", right: true, className: "nowrap", cell: ([, side]) => count(refusedOf(side)) },
    { title: "p50", right: true, className: "nowrap", cell: ([, { p50Milliseconds }]) => milliseconds(p50Milliseconds) },
    { title: "p99", right: true, className: "nowrap", cell: ([, { p99Milliseconds }]) => milliseconds(p99Milliseconds) },
];

/** The counts of several steps together: comparisons are one bet over all of them. */
function sum(steps: Step[], side: (step: Step) => Step["candidate"]): Step["candidate"] {
    const all = (count: (side: Step["candidate"]) => number) => steps.reduce((total, step) => total + count(side(step)), 0);
    return {
        requests: all(({ requests }) => requests), errors: all(({ errors }) => errors),
        refused: all(({ refused }) => refused), turnedAway: all(({ turnedAway }) => turnedAway),
    };
}

/** Both revisions' requests, failures and latencies in one step, and what was concluded. */
export function Evidence({ step, earlier = [] }: { step: Step; earlier?: Step[] }) {
    const sides: Side[] = [["New revision", step.candidate], ["Revision before", step.baseline]];
    if (earlier.length > 0) {
        const steps = [...earlier, step];
        sides.push([`New revision, ${steps.length} steps`, sum(steps, ({ candidate }) => candidate)]);
        sides.push([`Revision before, ${steps.length} steps`, sum(steps, ({ baseline }) => baseline)]);
    }
    return (
        <section>
            <div className="row between">
                <h3>At {percent(step.weightPercent)} of the traffic</h3>
                <span className="small muted">{!step.sawTraffic && <><StatusBadge state="nothing seen" tone="idle" /> </>}{step.verdict ? <Verdict verdict={step.verdict} sawTraffic={step.sawTraffic} /> : "under way"} since <RelativeTime at={step.startedAt} /></span>
            </div>
            {step.reason && <p className="soft">{step.reason.slice(0, 500)}</p>}
            <ResponsiveTable keep label={`Evidence at ${percent(step.weightPercent)}`} rows={sides} rowID={([name]) => name} columns={evidence} />
            {step.comparisons.map((comparison) => (
                <p key={comparison.what} className="small" style={{ marginTop: 6 }}>
                    <Conclusion isWorse={comparison.isWorse} isCompared={comparison.isCompared} sawTraffic={step.sawTraffic || earlier.some(({ sawTraffic }) => sawTraffic)} /> {comparison.explanation}
                </p>
            ))}
            {step.sensitivity && <p className="muted small" style={{ marginTop: 6 }}>What this step could show: {step.sensitivity}.</p>}
        </section>
    );
}

/** Passed without a request: in no colour, since nothing speaks for it. */
function Verdict({ verdict, sawTraffic }: { verdict: string; sawTraffic: boolean }) {
    return sawTraffic ? <StatusBadge state={verdict} /> : <StatusBadge state={verdict} tone="idle" />;
}

/** Without requests nothing was compared, so nothing is no worse. */
function Conclusion({ isWorse, isCompared, sawTraffic }: { isWorse: boolean; isCompared: boolean; sawTraffic: boolean }) {
    if (!isCompared) return <StatusBadge state="not comparable" tone="idle" />;
    if (!sawTraffic) return <StatusBadge state="nothing seen" tone="idle" />;
    return <StatusBadge state={isWorse ? "worse" : "no worse"} tone={isWorse ? "bad" : "ok"} />;
}

function milliseconds(value: number | undefined | null): string {
    return value === undefined || value === null ? "–" : `${number(Number(value.toPrecision(3)))} ms`;
}

/** What was asked of the version before it could enter, with both numbers. */
export function Checks({ revision }: { revision: Revision }) {
    if (revision.checks.length === 0) return null;
    return (
        <Card title={`Checks of revision ${revision.number}`} flush>
            <ChecksTable checks={revision.checks} label="Checks" />
        </Card>
    );
}
