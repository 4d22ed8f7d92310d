import type { Schemas } from "../../api/generated";
import { Card, Status } from "../../components/Basics";
import { Ago } from "../../components/Time";
import { count, duration, measured, number, percent } from "../../core/format";

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

/** Both revisions' requests, errors and latencies in one step, and what was concluded. */
export function Evidence({ step }: { step: Step }) {
    const sides: [string, Step["candidate"]][] = [["New revision", step.candidate], ["Revision before", step.baseline]];
    return (
        <section>
            <div className="row between">
                <h3>At {percent(step.weightPercent)} of the traffic</h3>
                <span className="small muted">{step.verdict ? <Status state={step.verdict} /> : "under way"} since <Ago at={step.startedAt} /></span>
            </div>
            {step.reason && <p className="soft">{step.reason.slice(0, 500)}</p>}
            <div className="table-box">
                <table className="plain compact evidence" aria-label={`Evidence at ${percent(step.weightPercent)}`}>
                    <thead><tr><th scope="col"><span className="visually-hidden">Revision</span></th><th scope="col" className="right">Requests</th><th scope="col" className="right">Errors</th><th scope="col" className="right">p50</th><th scope="col" className="right">p99</th></tr></thead>
                    <tbody>
                        {sides.map(([name, traffic]) => (
                            <tr key={name}>
                                <td className="soft">{name}</td>
                                <td className="right">{count(traffic.requests)}</td>
                                <td className="right">{count(traffic.errors)}{traffic.requests > 0 && <span className="muted"> {percent(100 * traffic.errors / traffic.requests)}</span>}</td>
                                <td className="right">{milliseconds(traffic.p50Milliseconds)}</td>
                                <td className="right">{milliseconds(traffic.p99Milliseconds)}</td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
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
            <div className="table-box">
                <table className="plain" aria-label="Checks">
                    <thead><tr><th scope="col">Check</th><th scope="col">Result</th><th scope="col" className="right">Measured</th><th scope="col" className="right">Bound</th><th scope="col">In words</th></tr></thead>
                    <tbody>
                        {revision.checks.map((check) => (
                            <tr key={check.check}>
                                <td className="mono">{check.check}</td>
                                <td>{check.held === undefined || check.held === null ? <Status state="waiting" /> : <Status state={check.held ? "passed" : "failed"} />}</td>
                                <td className="right">{measured(check.check, check.left)}</td>
                                <td className="right">{measured(check.check, check.right)}</td>
                                <td className="soft">{check.explanation}</td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
        </Card>
    );
}
