import { useMemo } from "react";
import { call } from "../../api/client";
import type { Schemas } from "../../api/generated";
import { CodeBlock } from "../../components/Copy";
import { Page } from "../../components/Page";
import { StatusBadge } from "../../components/Status";
import { SearchInput } from "../../components/Form";
import { Empty, ErrorBox, Loaded } from "../../components/State";
import { RelativeTime, Elapsed } from "../../components/Time";
import { VirtualTable, type Column } from "../../components/VirtualTable";
import { bytes } from "../../core/format";
import { reasonOf } from "../../components/failures";
import { useQuery } from "../../core/query";
import { Link, navigate, path, useSearchParam } from "../../core/router";
import { Failures } from "./Failures";

export type Job = Schemas["JobView"];

/** How it stands, or how it ended. */
export function jobState(job: Job): string {
    return job.state === "ended" ? job.outcome ?? "ended" : job.state;
}

const columns: Column<Job>[] = [
    {
        id: "state", title: "State", width: 190, phone: 140,
        cell: (job) => <><StatusBadge state={jobState(job)} />{job.place !== undefined && job.place !== null && <span className="muted small" title={job.waitsFor}> {ordinal(job.place)} in line</span>}</>,
    },
    { id: "name", title: "Job", width: 220, phone: 110, cell: (job) => <Link to={path("jobs", job.id)}><bdi>{job.name.slice(0, 200)}</bdi></Link> },
    { id: "project", title: "Project", width: 120, cell: (job) => <bdi>{job.project}</bdi> },
    {
        id: "parameters", title: "Parameters", width: 260,
        cell: (job) => <span className="mono" title={parameters(job)}>{parameters(job)}</span>,
    },
    { id: "why", title: "Why it failed", width: 240, cell: (job) => (job.failure ? <bdi className="small" title={reasonOf(job)}>{reasonOf(job).slice(0, 200)}</bdi> : "") },
    { id: "asks", title: "Asks for", width: 150, cell: (job) => asks(job) },
    { id: "created", title: "Queued", width: 110, phone: 110, cell: (job) => <RelativeTime at={job.createdAt} /> },
    { id: "took", title: "Took", width: 110, cell: (job) => <Elapsed from={job.startedAt} to={job.endedAt} /> },
    { id: "run", title: "Run", width: 100, cell: (job) => (job.run ? <Link to={path("runs", job.run)} className="mono">{job.run.slice(0, 8)}</Link> : "") },
    { id: "waits", title: "Waits for", width: 420, cell: (job) => <span className="muted small" title={job.waitsFor}>{job.waitsFor ?? ""}</span> },
];

export function ordinal(number: number): string {
    const ending = number % 100 > 10 && number % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][number % 10] ?? "th";
    return `${number}${ending}`;
}

function parameters(job: Job): string {
    return Object.entries(job.parameters).map(([name, value]) => `${name}=${value}`).join(" ").slice(0, 300);
}

export function asks(job: Job): string {
    const parts = [`${job.cpus} CPU`];
    if (job.memoryBytes !== undefined) parts.push(bytes(job.memoryBytes));
    if (job.gpus > 0) parts.push(`${job.gpus} GPU`);
    return parts.join(", ");
}

const order: Record<string, number> = { running: 0, stopping: 0, starting: 1, queued: 2, ended: 3 };

/** The queue: what runs first, then what waits in its order, then what ended. */
function inOrder(jobs: Job[]): Job[] {
    return jobs.map((job, index) => ({ job, index })).sort((a, b) => {
        const rank = (order[a.job.state] ?? 3) - (order[b.job.state] ?? 3);
        if (rank !== 0) return rank;
        if (a.job.state !== "queued") return a.index - b.index;
        // The planner's order; who has no place is about to begin.
        return (a.job.place ?? 0) - (b.job.place ?? 0) || b.index - a.index;
    }).map(({ job }) => job);
}

export function Jobs() {
    const [find, setFind] = useSearchParam("find");
    const [show, setShow] = useSearchParam("show", "all");
    const query = useQuery(`jobs/${show}`, () =>
        call("ListJobs", { query: { limit: 1000, live: show === "live" ? true : undefined } }), {
        invalidateOn: ["job"],
        // Why one waits changes with what the others use, and with time.
        refetchInterval: (known) => (known?.jobs.some(({ state }) => state === "queued") ? 5000 : undefined),
    });
    const rows = useMemo(() => inOrder((query.data?.jobs ?? []).filter((job) =>
        (show !== "failed" || job.outcome === "failed")
        && `${job.name} ${job.id} ${job.project} ${parameters(job)}`.toLowerCase().includes(find.toLowerCase()))),
    [query.data, find, show]);
    return (
        <Page title="Jobs" note="What runs, what waits, what ended.">
            <div className="toolbar">
                <SearchInput value={find} onChange={setFind} label="Find a job" />
                <select className="select" aria-label="Show" value={show} onChange={(event) => setShow(event.target.value)}>
                    <option value="all">All jobs</option>
                    <option value="live">Running and waiting</option>
                    <option value="failed">Failed</option>
                </select>
            </div>
            {query.data !== undefined && <ErrorBox error={query.error} />}
            {show === "failed" && <Failures jobs={rows} />}
            <Loaded query={query}>
                {({ jobs }) => (
                    <VirtualTable label="Jobs" rows={rows} rowID={(job) => job.id} columns={columns}
                        onOpen={(job) => navigate(path("jobs", job.id))} height="calc(100vh - 250px)"
                        empty={jobs.length === 0 && show === "all" ? (
                            <Empty title="No jobs yet">
                                <p>Hand over a project and run one of its jobs:</p>
                                <CodeBlock text={"aloft apply aloft.yaml\naloft run train"} />
                            </Empty>
                        ) : <Empty title="No job fits" />} />
                )}
            </Loaded>
        </Page>
    );
}
