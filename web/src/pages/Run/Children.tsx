import { childrenOf, getRun, type Run } from "../../api/mlflow";
import { Card } from "../../components/Card";
import { RunDot } from "../../components/runState";
import { RelativeTime } from "../../components/Time";
import { useQuery } from "../../core/query";
import { Link, path } from "../../core/router";
import { runName } from "../Runs/rows";

/** The runs that were started within this one, and the one that this was started within. */
export function Family({ run, parent }: { run: Run; parent: string | undefined }) {
    const { info } = run;
    const children = useQuery(`children/${info.run_id}`, () => childrenOf(info), { invalidateOn: ["run", "job"], throttle: 3000 });
    const above = useQuery(parent === undefined ? null : `run/${parent}`, () => getRun(parent ?? ""), { staleTime: 10_000 });
    const runs = children.data?.runs ?? [];
    if (runs.length === 0 && parent === undefined) return null;
    return (
        <Card title="Nested runs" flush side={runs.length > 0 ? `${runs.length}${children.data?.next_page_token ? "+" : ""}` : undefined}>
            <ul className="list" aria-label="Nested runs">
                {parent !== undefined && (
                    <li>
                        <span className="muted small nowrap">parent</span>
                        <div className="grow cut"><Link to={path("runs", parent)}><bdi>{above.data === undefined ? parent.slice(0, 12) : runName(above.data).slice(0, 200)}</bdi></Link></div>
                    </li>
                )}
                {runs.map((child) => (
                    <li key={child.info.run_id}>
                        <RunDot run={child} />
                        <div className="grow cut"><Link to={path("runs", child.info.run_id)}><bdi>{runName(child).slice(0, 200)}</bdi></Link></div>
                        <span className="muted small nowrap"><RelativeTime at={child.info.start_time} /></span>
                    </li>
                ))}
            </ul>
        </Card>
    );
}
