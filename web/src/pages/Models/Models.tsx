import { useMemo } from "react";
import { searchModels, type RegisteredModel } from "../../api/mlflow";
import { CodeBlock } from "../../components/Copy";
import { Page } from "../../components/Page";
import { SearchInput } from "../../components/Form";
import { Empty, Loaded } from "../../components/State";
import { RelativeTime } from "../../components/Time";
import { VirtualTable, type Column } from "../../components/VirtualTable";
import { useQuery } from "../../core/query";
import { Link, navigate, path, useSearchParam } from "../../core/router";

function latest(model: RegisteredModel): string | undefined {
    const numbers = (model.latest_versions ?? []).map(({ version }) => Number(version));
    return numbers.length === 0 ? undefined : String(Math.max(...numbers));
}

const columns: Column<RegisteredModel>[] = [
    { id: "name", title: "Name", width: 280, phone: 170, cell: (model) => <Link to={path("models", model.name)}><bdi>{model.name}</bdi></Link> },
    {
        id: "latest", title: "Newest", width: 130, phone: 70,
        cell: (model) => {
            const version = latest(model);
            return version === undefined ? <span className="muted">–</span>
                : <Link to={path("models", model.name, "versions", version)}>v{version}</Link>;
        },
    },
    {
        id: "aliases", title: "Aliases", width: 260,
        cell: (model) => (model.aliases ?? []).slice(0, 4).map(({ alias, version }) => (
            <span key={alias} className="chip" style={{ marginRight: 6 }}>{alias} → v{version}</span>
        )),
    },
    { id: "changed", title: "Last change", width: 130, phone: 110, cell: (model) => <RelativeTime at={model.last_updated_timestamp} /> },
];

export function Models() {
    const [find, setFind] = useSearchParam("find");
    const query = useQuery("models", async () => {
        const all: RegisteredModel[] = [];
        let token: string | undefined;
        do {
            const reply = await searchModels("", token);
            all.push(...(reply.registered_models ?? []));
            token = reply.next_page_token || undefined;
        } while (token !== undefined && all.length < 5000);
        return all;
    }, { invalidateOn: ["version", "model", "servable"] });
    const shown = useMemo(() => (query.data ?? []).filter(({ name }) =>
        name.toLowerCase().includes(find.toLowerCase())), [query.data, find]);
    return (
        <Page title="Models" note="Registered models, their versions, and where they run.">
            <div className="toolbar"><SearchInput value={find} onChange={setFind} label="Find a model" /></div>
            <Loaded query={query}>
                {(all) => (
                    <VirtualTable label="Models" rows={shown} rowID={({ name }) => name} columns={columns}
                        onOpen={({ name }) => navigate(path("models", name))}
                        empty={all.length === 0 ? (
                            <Empty title="No models yet">
                                <p>Register one from a run:</p>
                                <CodeBlock text={"mlflow.sklearn.log_model(model, name=\"model\", registered_model_name=\"my-model\")"} />
                            </Empty>
                        ) : <Empty title="No model has this name" />} />
                )}
            </Loaded>
        </Page>
    );
}
