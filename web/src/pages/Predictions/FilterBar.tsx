import { call } from "../../api/client";
import { SearchInput } from "../../components/Form";
import { useDeployments } from "../../components/deployments";
import { useQuery } from "../../core/query";
import { setSearchParams } from "../../core/router";
import { fromField, spans, toField, type Filters } from "./filters";

/** Another filter begins at the newest again. */
function change(values: Record<string, string>): void {
    setSearchParams({ ...values, before: "" });
}

export function FilterBar({ filters }: { filters: Filters }) {
    return (
        <div className="toolbar" role="group" aria-label="Filters">
            <SearchInput value={filters.id} onChange={(id) => change({ id: id.trim() })} label="Find by id"
                placeholder="Id, as X-Aloft-Prediction-Id said" />
            <DeploymentChoice filters={filters} />
            <TimeChoice filters={filters} />
            <input className="input" type="number" min={0} step={1} aria-label="Slower than, in milliseconds" placeholder="Slower than, ms"
                style={{ width: 175 }} value={filters.slower} onChange={(event) => change({ slower: event.target.value.replace(/\D/g, "").slice(0, 7) })} />
            <label className="check">
                <input type="checkbox" checked={filters.errors === "true"} onChange={(event) => change({ errors: event.target.checked ? "true" : "" })} />
                Errors only
            </label>
        </div>
    );
}

function DeploymentChoice({ filters }: { filters: Filters }) {
    const { deployment, environment, revision } = filters;
    const all = useDeployments().data?.deployments ?? [];
    const at = environment === "" ? "production" : environment;
    const shown = useQuery(deployment === "" ? null : `deployment/${deployment}/${at}`, () =>
        call("ShowDeployment", { path: { deployment }, query: { environment: at, limit: 50 } }));
    const names = withChosen([...new Set(all.map(({ name }) => name))], deployment);
    const environments = withChosen(all.filter(({ name }) => name === deployment).map((each) => each.environment), at);
    const numbers = withChosen((shown.data?.history ?? []).map(({ number }) => String(number)), revision);
    return (
        <>
            <select className="select" aria-label="Deployment" value={deployment} style={{ maxWidth: 240 }}
                onChange={(event) => change({ deployment: event.target.value, environment: firstOf(event.target.value), revision: "" })}>
                <option value="">All deployments</option>
                {names.map((name) => <option key={name} value={name}>{name.slice(0, 80)}</option>)}
            </select>
            {deployment !== "" && (
                <select className="select" aria-label="Environment" value={at} onChange={(event) => change({ environment: event.target.value, revision: "" })}>
                    {environments.map((name) => <option key={name} value={name}>{name.slice(0, 60)}</option>)}
                </select>
            )}
            {deployment !== "" && (
                <select className="select" aria-label="Revision" value={revision} onChange={(event) => change({ revision: event.target.value })}>
                    <option value="">All revisions</option>
                    {numbers.map((number) => <option key={number} value={number}>Revision {number}</option>)}
                </select>
            )}
        </>
    );

    /** Where the deployment is not in production, the first environment that it is in. */
    function firstOf(name: string): string {
        const its = all.filter((each) => each.name === name).map((each) => each.environment);
        return its.length === 0 || its.includes("production") ? "" : its[0] ?? "";
    }
}

/** What the address names stays to be seen, also where the server does not list it. */
function withChosen(items: string[], chosen: string): string[] {
    return chosen === "" || items.includes(chosen) ? items : [...items, chosen];
}

function TimeChoice({ filters }: { filters: Filters }) {
    const { time, since, until } = filters;
    return (
        <>
            <select className="select" aria-label="Time" value={time}
                onChange={(event) => change({ time: event.target.value, since: "", until: "" })}>
                <option value="">Any time</option>
                {Object.entries(spans).map(([key, { label }]) => <option key={key} value={key}>{label}</option>)}
                <option value="between">Between…</option>
            </select>
            {time === "between" && (
                <>
                    <input className="input" type="datetime-local" aria-label="From" style={{ width: "auto" }} value={toField(since)}
                        onChange={(event) => change({ since: fromField(event.target.value) })} />
                    <input className="input" type="datetime-local" aria-label="Until" style={{ width: "auto" }} value={toField(until)}
                        onChange={(event) => change({ until: fromField(event.target.value) })} />
                </>
            )}
        </>
    );
}
