import type { Schemas } from "../../api/generated";
import { Card } from "../../components/Card";
import { number } from "../../core/format";

type Trial = Schemas["TrialView"];

interface Rung {
    step: number;
    reached: number;
    stopped: number;
    /** The bar that survivors took: the worst value among those that went on is at least this. */
    best: number | undefined;
}

/** Where trials were compared, how many fell behind there and how many went on. */
export function Rungs({ trials, isMaximum }: { trials: Trial[]; isMaximum: boolean }) {
    const rungs = rungsOf(trials, isMaximum);
    if (rungs.length === 0) return null;
    const finished = trials.filter(({ state }) => state === "succeeded");
    return (
        <Card title="Rungs" side={<span className="small">where trials are compared and the worst are stopped</span>}>
            <ol className="rungs" aria-label="Rungs">
                <Line title="Began" value={trials.length} of={trials.length} note="" />
                {rungs.map((rung) => (
                    <Line key={rung.step} title={`Step ${rung.step}`} value={rung.reached - rung.stopped} of={trials.length}
                        note={`${rung.stopped} stopped of ${rung.reached}; best of those ${number(rung.best)}`} />
                ))}
                <Line title="To the end" value={finished.length} of={trials.length} note={`best ${number(bestOf(finished, isMaximum))}`} />
            </ol>
        </Card>
    );
}

function Line({ title, value, of, note }: { title: string; value: number; of: number; note: string }) {
    return (
        <li>
            <span className="soft">{title}</span>
            <span className="rung-bar" aria-hidden="true"><span style={{ width: `${of === 0 ? 0 : (100 * value) / of}%` }} /></span>
            <strong className="numbers right">{value}</strong>
            <span className="muted small cut">{note}</span>
        </li>
    );
}

export function bestOf(trials: Trial[], isMaximum: boolean): number | undefined {
    const values = trials.map(({ objective }) => objective).filter((value): value is number => value !== undefined);
    if (values.length === 0) return undefined;
    return values.reduce((best, value) => (isMaximum ? Math.max(best, value) : Math.min(best, value)));
}

export function rungsOf(trials: Trial[], isMaximum: boolean): Rung[] {
    const steps = [...new Set(trials.map(({ rung }) => rung).filter((rung): rung is number => rung !== undefined))].sort((a, b) => a - b);
    return steps.map((step) => {
        const stopped = trials.filter(({ rung }) => rung === step);
        const reached = trials.filter((trial) => (trial.rung ?? Infinity) >= step && (trial.step ?? -1) >= step);
        return { step, reached: Math.max(reached.length, stopped.length), stopped: stopped.length, best: bestOf(stopped, isMaximum) };
    });
}
