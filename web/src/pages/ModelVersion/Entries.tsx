import type { Schemas } from "../../api/generated";
import { Card } from "../../components/Card";
import { CodeBlock } from "../../components/Copy";
import { StatusBadge } from "../../components/Status";
import { ChecksTable } from "../../components/Checks";
import { Empty } from "../../components/State";
import { RelativeTime } from "../../components/Time";
import { percent } from "../../core/format";
import { Link, path } from "../../core/router";

export type Entry = Schemas["ListRevisionsItem"];

/** Each time the version asked to enter an environment: the checks with both numbers, and the end. */
export function Entries({ entries, name, version }: { entries: Entry[]; name: string; version: string }) {
    if (entries.length === 0) {
        return (
            <Card title="Environments and checks">
                <Empty title="It has not asked to enter an environment">
                    <CodeBlock text={`aloft deploy ${name} --model ${name}/${version} --environment staging`} />
                </Empty>
            </Card>
        );
    }
    return (
        <Card title="Environments and checks" flush>
            <ul>
                {entries.slice(0, 20).map((entry) => <EntryItem key={entry.revision.id} entry={entry} />)}
            </ul>
        </Card>
    );
}

function EntryItem({ entry: { deployment, environment, revision } }: { entry: Entry }) {
    return (
        <li className="entry">
            <div className="row between">
                <span className="row">
                    <StatusBadge state={revision.state} />
                    <Link to={`${path("deployments", deployment)}?environment=${encodeURIComponent(environment)}`}><bdi>{deployment}</bdi></Link>
                    <span className="chip">{environment}</span>
                    <span className="muted">revision {revision.number}{revision.weightPercent > 0 && `, ${percent(revision.weightPercent)} of the traffic`}</span>
                </span>
                <span className="muted small"><RelativeTime at={revision.endedAt ?? revision.liveAt ?? revision.createdAt} /></span>
            </div>
            {revision.reason && <p className="small soft">{revision.reason.slice(0, 400)}</p>}
            {revision.checks.length > 0 && (
                <ChecksTable checks={revision.checks} label={`Checks for ${environment}`} />
            )}
        </li>
    );
}
