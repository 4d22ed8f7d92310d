import { call } from "../../api/client";
import type { Schemas } from "../../api/generated";
import { CodeBlock } from "../../components/Copy";
import { Page } from "../../components/Page";
import { StatusBadge } from "../../components/Status";
import { Empty, Loaded } from "../../components/State";
import { RelativeTime, Elapsed } from "../../components/Time";
import { VirtualTable, type Column } from "../../components/VirtualTable";
import { useQuery } from "../../core/query";
import { Link, navigate, path } from "../../core/router";

type Sweep = Schemas["SweepView"];

const columns: Column<Sweep>[] = [
    { id: "job", title: "Sweep", width: 220, phone: 120, cell: (sweep) => <Link to={path("sweeps", sweep.id)}><bdi>{sweep.job.slice(0, 200)}</bdi></Link> },
    { id: "state", title: "State", width: 140, phone: 120, cell: (sweep) => <StatusBadge state={sweep.state} /> },
    { id: "project", title: "Project", width: 130, cell: (sweep) => <bdi>{sweep.project}</bdi> },
    { id: "objective", title: "Objective", width: 190, cell: (sweep) => <bdi>{sweep.objective}</bdi> },
    { id: "method", title: "Method", width: 100, cell: (sweep) => sweep.method },
    { id: "trials", title: "Trials", width: 90, align: "right", cell: (sweep) => sweep.trialLimit },
    { id: "created", title: "Started", width: 120, phone: 110, cell: (sweep) => <RelativeTime at={sweep.createdAt} /> },
    { id: "took", title: "Took", width: 120, cell: (sweep) => <Elapsed from={sweep.createdAt} to={sweep.endedAt} /> },
];

export function Sweeps() {
    const query = useQuery("sweeps", () => call("ListSweeps", { query: { limit: 500 } }), { invalidateOn: ["sweep", "trial"], throttle: 2000 });
    return (
        <Page title="Sweeps" note="Searches for the best parameters of a job.">
            <Loaded query={query}>
                {({ sweeps }) => (
                    <VirtualTable label="Sweeps" rows={sweeps} rowID={({ id }) => id} columns={columns}
                        onOpen={({ id }) => navigate(path("sweeps", id))}
                        empty={(
                            <Empty title="No sweeps yet">
                                <p>Give a job in <code>aloft.yaml</code> a <code>sweep</code> section, then:</p>
                                <CodeBlock text={"aloft apply aloft.yaml\naloft sweep train"} />
                            </Empty>
                        )} />
                )}
            </Loaded>
        </Page>
    );
}
