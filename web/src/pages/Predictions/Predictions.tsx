import { call } from "../../api/client";
import type { Schemas } from "../../api/generated";
import { Card } from "../../components/Card";
import { CodeBlock, CopyButton } from "../../components/Copy";
import { Page } from "../../components/Page";
import { StatusBadge } from "../../components/Status";
import { Empty, ErrorBox, Loaded } from "../../components/State";
import { RelativeTime } from "../../components/Time";
import { useDeployments } from "../../components/deployments";
import { VirtualTable, type Column } from "../../components/VirtualTable";
import { bytes, count, microseconds } from "../../core/format";
import { useQuery } from "../../core/query";
import { Link, navigate, path, useLocation } from "../../core/router";
import { FilterBar } from "./FilterBar";
import { asked, isNarrowed, isPredictionID, useFilters, type Filters } from "./filters";

type Prediction = Schemas["PredictionItem"];
type Reply = Schemas["ListPredictionsReply"];

/** Predictions of a page. */
const LIMIT = 100;

/** The reply's HTTP status in colour. */
export function ReplyStatus({ status }: { status: number }) {
    return <StatusBadge state={String(status)} tone={status < 400 ? "ok" : status < 500 ? "warn" : "bad"} />;
}

export function deploymentOf(item: { deployment: string; environment: string }): string {
    return `${path("deployments", item.deployment)}?environment=${encodeURIComponent(item.environment)}`;
}

const columns: Column<Prediction>[] = [
    { id: "at", title: "When", width: 110, phone: 104, cell: ({ at }) => <RelativeTime at={at} /> },
    { id: "status", title: "Status", width: 90, phone: 80, cell: ({ status }) => <ReplyStatus status={status} /> },
    {
        id: "id", title: "Prediction", width: 290, phone: 178,
        cell: ({ id }) => <><Link to={path("predictions", id)} className="mono">{id}</Link> <CopyButton text={id} className="inline" /></>,
    },
    {
        id: "deployment", title: "Deployment", width: 190,
        cell: (item) => <><Link to={deploymentOf(item)}><bdi>{item.deployment}</bdi></Link> {item.environment !== "production" && <span className="chip">{item.environment}</span>}</>,
    },
    { id: "revision", title: "Revision", width: 90, align: "right", cell: ({ number }) => number ?? "–" },
    {
        id: "model", title: "Model", width: 160,
        cell: ({ model, version }) => <Link to={path("models", model, "versions", version)}><bdi>{model}</bdi> v{version}</Link>,
    },
    { id: "took", title: "Took", width: 90, align: "right", cell: (item) => <span className="numbers">{microseconds(item.milliseconds * 1000)}</span> },
    { id: "step", title: "Rollout step", width: 110, align: "right", cell: ({ rolloutStep }) => (rolloutStep === undefined ? "" : rolloutStep + 1) },
];

/** What gateways answered, newest first. */
export function Predictions() {
    const filters = useFilters();
    const isHalfAnID = filters.id !== "" && !isPredictionID(filters.id);
    const key = isHalfAnID ? null : `predictions/${JSON.stringify(filters)}`;
    // Gateways send what they logged within a second, and the server tells; an older page stands still.
    const isNewest = filters.before === "" && filters.id === "";
    const query = useQuery(key, () => call("ListPredictions", { query: asked(filters, LIMIT) }), { invalidateOn: isNewest ? ["prediction"] : [], throttle: 3000 });
    return (
        <Page title="Predictions" note="What gateways answered, and what each answer came from.">
            <FilterBar filters={filters} />
            {query.data !== undefined && <ErrorBox error={query.error} />}
            {isHalfAnID
                ? <Empty title="This is no whole id">An id has 28 hexadecimal digits; a reply has it in its header X-Aloft-Prediction-Id.</Empty>
                : <Loaded query={query}>{(reply) => <Table reply={reply} filters={filters} />}</Loaded>}
        </Page>
    );
}

function Table({ reply, filters }: { reply: Reply; filters: Filters }) {
    if (reply.storage.records === 0 && !isNarrowed(filters)) return <Card><First /></Card>;
    return (
        <VirtualTable label="Predictions" rows={reply.predictions} rowID={({ id }) => id} columns={columns}
            onOpen={({ id }) => navigate(path("predictions", id))} height="calc(100vh - 280px)"
            empty={<Nothing reply={reply} />} foot={<Foot reply={reply} />} />
    );
}

function Nothing({ reply }: { reply: Reply }) {
    if (reply.next !== undefined) return <Empty title="None in this part of the log">Look further back with “Older”.</Empty>;
    return <Empty title="No prediction fits" actions={<Link className="button" to="/predictions">Show all</Link>} />;
}

/** What to do first: deploy, then ask. */
function First() {
    const { data } = useDeployments();
    const [first] = data?.deployments ?? [];
    if (data !== undefined && first === undefined) {
        return (
            <Empty title="No predictions yet">
                <p>Nothing answers requests. Put a registered model behind an address:</p>
                <CodeBlock text="aloft deploy my-model --model my-model/1 --environment staging --wait" />
            </Empty>
        );
    }
    return (
        <Empty title="No predictions yet" actions={first && <Link className="button primary" to={`${deploymentOf({ deployment: first.name, environment: first.environment })}&tab=try`}>Try it in the browser</Link>}>
            <p>Ask a deployment; the answer is here a second later:</p>
            <CodeBlock text={`curl -si http://127.0.0.1:5001/deployments/${first?.endpoint ?? "NAME"}/invocations \\\n    -H 'content-type: application/json' -d '{"instances": [[1, 2, 3]]}'`} />
        </Empty>
    );
}

/** Pages are addresses of their own, so that the back button leads to the one before. */
function Foot({ reply }: { reply: Reply }) {
    const { path: here, query } = useLocation();
    const at = (before: string): string => {
        const next = new URLSearchParams(query);
        if (before === "") next.delete("before");
        else next.set("before", before);
        const text = next.toString();
        return text === "" ? here : `${here}?${text}`;
    };
    const { storage } = reply;
    return (
        <>
            <span>
                {count(storage.records)} kept, {bytes(storage.bytes)}{storage.oldestDay !== undefined && `, the oldest of ${storage.oldestDay}`}
                {storage.expiredRecords > 0 && `; ${count(storage.expiredRecords)} older ones went`}
            </span>
            <nav className="row" aria-label="Pages">
                {query.has("before") && <Link to={at("")}>Newest</Link>}
                {reply.next !== undefined && <Link to={at(reply.next)}>Older</Link>}
            </nav>
        </>
    );
}
