import { useMemo } from "react";
import { serverAddress } from "../../api/base";
import { restoreExperiment, searchExperiments, type Experiment } from "../../api/mlflow";
import { CodeBlock } from "../../components/Copy";
import { Page } from "../../components/Page";
import { SearchInput } from "../../components/Form";
import { Empty, ErrorBox, Loaded } from "../../components/State";
import { RelativeTime } from "../../components/Time";
import { toast } from "../../components/Toast";
import { VirtualTable, type Column } from "../../components/VirtualTable";
import { Link, navigate, path, useSearchParam } from "../../core/router";
import { useQuery } from "../../core/query";

const columns: Column<Experiment>[] = [
    {
        id: "name", title: "Name", width: 360, phone: 210,
        cell: (item) => <Link to={path("experiments", item.experiment_id)}><bdi>{item.name}</bdi></Link>,
    },
    { id: "id", title: "Id", width: 110, cell: (item) => <span className="muted">{item.experiment_id}</span> },
    { id: "updated", title: "Last change", width: 150, phone: 120, cell: (item) => <RelativeTime at={item.last_update_time} /> },
    { id: "created", title: "Created", width: 150, cell: (item) => <RelativeTime at={item.creation_time} /> },
];

/** All pages of the experiments: there are hundreds, not millions. */
async function loadAll(deleted: boolean): Promise<Experiment[]> {
    const all: Experiment[] = [];
    let token: string | undefined;
    do {
        const reply = await searchExperiments("", token, deleted);
        all.push(...(reply.experiments ?? []));
        token = reply.next_page_token;
    } while (token !== undefined && token !== "" && all.length < 10_000);
    return all;
}

export function Experiments() {
    const [find, setFind] = useSearchParam("find");
    const [stage, setStage] = useSearchParam("stage");
    const deleted = stage === "deleted";
    const query = useQuery(deleted ? "experiments/deleted" : "experiments", () => loadAll(deleted), { invalidateOn: ["experiment", "run", "job"], throttle: 5000 });
    const shown = useMemo(() => {
        const words = find.toLowerCase().split(/\s+/).filter((word) => word !== "");
        return (query.data ?? []).filter(({ name }) =>
            words.every((word) => name.toLowerCase().includes(word)));
    }, [query.data, find]);
    const restoring: Column<Experiment> = {
        id: "restore", title: "", width: 110, phone: 90,
        cell: (item) => (
            <button type="button" className="button small" aria-label={`Restore ${item.name.slice(0, 100)}`} onClick={() => void restoreExperiment(item.experiment_id)
                .then(() => toast(`Restored ${item.name.slice(0, 80)}.`), (error: Error) => toast(error.message)).then(query.reload)}>Restore</button>
        ),
    };
    return (
        <Page title="Experiments" note="Each groups the runs of one question.">
            <div className="toolbar">
                <SearchInput value={find} onChange={setFind} label="Find an experiment" />
                <select className="select" aria-label="Which experiments" value={stage} onChange={(event) => setStage(event.target.value)}>
                    <option value="">Active experiments</option>
                    <option value="deleted">Deleted experiments</option>
                </select>
            </div>
            {query.data !== undefined && <ErrorBox error={query.error} />}
            <Loaded query={query}>
                {(all) => (
                    <VirtualTable label="Experiments" rows={shown} rowID={(item) => item.experiment_id}
                        columns={deleted ? [...columns, restoring] : columns} onOpen={(item) => navigate(path("experiments", item.experiment_id))}
                        empty={all.length === 0 ? deleted ? <Empty title="No experiment is deleted" /> : <FirstExperiment /> : (
                            <Empty title="No experiment has this name"
                                actions={<button type="button" className="button" onClick={() => setFind("")}>Show all</button>} />
                        )} />
                )}
            </Loaded>
        </Page>
    );
}

function FirstExperiment() {
    return (
        <Empty title="No experiments yet">
            <p>Point any MLflow client here; the first run makes its experiment.</p>
            <CodeBlock text={`export MLFLOW_TRACKING_URI=${serverAddress()}`} />
        </Empty>
    );
}
