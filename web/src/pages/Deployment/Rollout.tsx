import type { Schemas } from "../../api/generated";
import { Card, Status } from "../../components/Basics";
import { ChecksTable } from "../../components/Checks";
import { RowTable, type RowColumn } from "../../components/RowTable";
import { Ago } from "../../components/Time";
import { count, duration, number, percent } from "../../core/format";

type Revision = Schemas["RevisionItem"];
type Step = Schemas["RolloutStepItem"];

/** The steps of a rollout, and what was measured of both revisions in each. */
export function Rollout({ revision }: { revision: Revision }) {
    const { rollout } = revision;
    if (!rollout) return null;
    const at = rollout.steps.length - 1;
    return (
        <Card title={`Rollout of revision ${revision.number}`} side={<Status state={rollout.state} />}>
            <div className="stack">
                <ol className="steps" aria-label="Steps">
                    {rollout.stepsPercent.map((share, index) => {
                        const isNow = index === at && (rollout.state === "running" || rollout.state === "paused");
                        const isDone = index < at || (index === at && rollout.state === "promoted");
                        return <li key={share} className={`step ${isNow ? "now" : isDone ? "done" : ""}`} aria-current={isNow ? "step" : undefined}>{percent(share)}</li>;
                    })}
                    <li className="muted small" style={{ alignSelf: "center" }}>
                        held {duration(rollout.holdSeconds * 1000)} each{rollout.abort.length > 0 && `; aborts if ${rollout.abort.join(" or ")}`}
                    </li>
                </ol>
                {[...rollout.steps].reverse().map((step) => <Evidence key={step.startedAt} step={step} />)}
                {rollout.falseAlarmRate !== undefined && rollout.falseAlarmRate !== null && (
                    <p className="muted small">The comparison raises a false alarm in at most {percent(rollout.falseAlarmRate * 100)} of rollouts, however often it looks.</p>
                )}
            </div>
        </Card>
    );
}

type Side = [string, Step["candidate"]];

const evidence: RowColumn<Side>[] = [
    { title: "Revision", hideTitle: true, className: "soft", cell: ([name]) => name },
    { title: "Requests", right: true, cell: ([, { requests }]) => count(requests) },
    {
        title: "Errors", right: true, className: "nowrap",
        cell: ([, { requests, errors }]) => <>{count(errors)}{requests > 0 && <span className="muted"> {percent(100 * errors / requests)}</span>}</>,
    },
    { title: "p50", right: true, className: "nowrap", cell: ([, { p50Milliseconds }]) => milliseconds(p50Milliseconds) },
    { title: "p99", right: true, className: "nowrap", cell: ([, { p99Milliseconds }]) => milliseconds(p99Milliseconds) },
];

/** Both revisions' requests, errors and latencies in one step, and what was concluded. */
export function Evidence({ step }: { step: Step }) {
    const sides: Side[] = [["New revision", step.candidate], ["Revision before", step.baseline]];
    return (
        <section>
            <div className="row between">
                <h3>At {percent(step.weightPercent)} of the traffic</h3>
                <span className="small muted">{step.verdict ? <Status state={step.verdict} /> : "under way"} since <Ago at={step.startedAt} /></span>
            </div>
            {step.reason && <p className="soft">{step.reason.slice(0, 500)}</p>}
            <RowTable keep label={`Evidence at ${percent(step.weightPercent)}`} rows={sides} rowID={([name]) => name} columns={evidence} />
            {step.comparisons.map((comparison) => (
                <p key={comparison.what} className="small" style={{ marginTop: 6 }}>
                    <Status state={comparison.isWorse ? "worse" : "no worse"} tone={comparison.isWorse ? "bad" : "ok"} /> {comparison.explanation}
                </p>
            ))}
        </section>
    );
}

function milliseconds(value: number | undefined): string {
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
