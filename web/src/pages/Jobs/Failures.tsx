import type { Schemas } from "../../api/generated";
import { Card } from "../../components/Card";
import { kindOfFailure, reasonOf } from "../../components/failures";
import { RelativeTime } from "../../components/Time";
import { Link, path } from "../../core/router";

type Job = Schemas["JobView"];

const SHOWN = 8;

/** Failed jobs in groups of those that failed alike, the most frequent first. */
export function Failures({ jobs }: { jobs: Job[] }) {
    const groups = new Map<string, Job[]>();
    for (const job of jobs) {
        if (job.outcome !== "failed") continue;
        const key = `${job.project} ${job.name} ${kindOfFailure(job)}`;
        groups.set(key, [...(groups.get(key) ?? []), job]);
    }
    const sorted = [...groups.values()].sort((a, b) => b.length - a.length);
    if (sorted.length === 0 || sorted.length === jobs.length) return null;
    return (
        <Card title="What failed alike" flush side={`${sorted.length}`} className="failures">
            <ul className="list">
                {sorted.slice(0, SHOWN).map((group) => {
                    const [newest] = group;
                    return newest && (
                        <li key={newest.id}>
                            <span className="badge bad numbers">{group.length}</span>
                            <div className="grow">
                                <div className="cut"><Link to={path("jobs", newest.id)}><bdi>{newest.name.slice(0, 200)}</bdi></Link></div>
                                <div className="cut mono small"><bdi>{reasonOf(newest).slice(0, 300)}</bdi></div>
                            </div>
                            <span className="muted small"><RelativeTime at={newest.endedAt} /></span>
                        </li>
                    );
                })}
            </ul>
        </Card>
    );
}
