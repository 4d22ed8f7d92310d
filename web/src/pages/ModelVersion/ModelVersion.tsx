import { getRun, getVersion } from "../../api/mlflow";
import { Card, Code, Copy, Facts, Page, Status } from "../../components/Basics";
import { Loaded } from "../../components/State";
import { Ago } from "../../components/Time";
import { number } from "../../core/format";
import { useQuery } from "../../core/query";
import { Link, path } from "../../core/router";
import { KeyTable, MetricTable } from "../Run/KeyTable";
import { runName } from "../Runs/rows";

/** One version: where it came from, what was measured, how to use it. */
export function ModelVersionPage({ name, version }: { name: string; version: string }) {
    const query = useQuery(`version/${name}/${version}`, () => getVersion(name, version), { on: ["version", "servable", "deployment"], every: 10_000 });
    const runID = query.data?.run_id;
    const run = useQuery(runID ? `run/${runID}` : null, () => getRun(runID ?? ""));
    return (
        <Page title={`${name} · version ${version}`} crumbs={[{ label: "Models", to: "/models" }, { label: name, to: path("models", name) }]}
            badge={query.data?.status && <Status state={query.data.status} />}
            note={query.data && (
                <>
                    <span>Created <Ago at={query.data.creation_timestamp} /></span>
                    {query.data.aliases?.map((alias) => <span key={alias} className="chip">{alias}</span>)}
                </>
            )}>
            <Loaded query={query}>
                {(known) => {
                    const tags = new Map((known.tags ?? []).map(({ key, value }) => [key, value]));
                    const parity = tags.get("aloft.parity");
                    const address = `models:/${name}/${version}`;
                    return (
                        <div className="grid-main">
                            <div className="stack">
                                {known.description && <Card><p style={{ whiteSpace: "pre-wrap" }}>{known.description.slice(0, 5000)}</p></Card>}
                                {runID && run.data && (
                                    <Card title="Measured in its run" flush side={<Link to={path("runs", runID)}>{runName(run.data).slice(0, 80)}</Link>}>
                                        <MetricTable metrics={run.data.data.metrics ?? []} curves={`${path("runs", runID)}?tab=curves`} />
                                    </Card>
                                )}
                                {run.data && <Card title="Parameters" flush><KeyTable items={run.data.data.params ?? []} label="Parameters" empty="No parameters were logged." /></Card>}
                                <Card title="Use it">
                                    <Code text={`import mlflow\n\nmodel = mlflow.pyfunc.load_model("${address}")\nmodel.predict(data)`} />
                                    <p className="muted" style={{ margin: "14px 0 8px" }}>Or put it behind an address:</p>
                                    <Code text={`aloft deploy ${name} --model ${name}/${version} --environment staging --wait`} />
                                </Card>
                            </div>
                            <div className="stack">
                                <Card title="Record">
                                    <Facts items={[
                                        ["Address", <span key="address" className="mono small">{address} <Copy text={address} /></span>],
                                        ["Run", runID ? <Link to={path("runs", runID)} className="mono small">{runID}</Link> : undefined],
                                        ["Model", known.model_id ? <span className="mono small">{known.model_id}</span> : undefined],
                                        ["Parity", parity === undefined ? undefined : number(Number(parity))],
                                        ["Source", <span key="source" className="mono small">{known.source}</span>],
                                        ["Message", known.status_message],
                                    ]} />
                                </Card>
                                <Card title="Tags" flush><KeyTable items={known.tags ?? []} label="Tags" empty="No tags." /></Card>
                            </div>
                        </div>
                    );
                }}
            </Loaded>
        </Page>
    );
}
