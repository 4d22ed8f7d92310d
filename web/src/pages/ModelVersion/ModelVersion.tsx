import { call } from "../../api/client";
import { getRun, getVersion, type ModelVersion, type Run } from "../../api/mlflow";
import { AliasChips } from "../../components/AliasChips";
import { Card } from "../../components/Card";
import { CodeBlock, CopyButton } from "../../components/Copy";
import { DescriptionList } from "../../components/DescriptionList";
import { Page } from "../../components/Page";
import { StatusBadge } from "../../components/Status";
import { Loaded, Skeleton } from "../../components/State";
import { RelativeTime } from "../../components/Time";
import { bytes, number } from "../../core/format";
import { areSettled, useQuery } from "../../core/query";
import { Link, path } from "../../core/router";
import { KeyTable, MetricTable } from "../Run/KeyTable";
import { runName } from "../Runs/rows";
import { Lineage } from "./Lineage";
import { Entries, type Entry } from "./Entries";
import { Form, useServable, type Servable } from "./Servable";

/** One version: where it came from, what was asked of it, where it serves, how to use it. */
export function ModelVersionPage({ name, version }: { name: string; version: string }) {
    const query = useQuery(`version/${name}/${version}`, () => getVersion(name, version), { invalidateOn: ["version", "servable", "deployment"] });
    const runID = query.data?.run_id;
    const run = useQuery(runID ? `run/${runID}` : null, () => getRun(runID ?? ""));
    const servable = useServable(name, version);
    const entries = useQuery(`revisions/${name}/${version}`, () =>
        call("ListRevisions", { query: { model: name, version: Number(version) || 1, limit: 100 } }),
    { invalidateOn: ["revision", "rollout", "deployment"] });
    return (
        <Page title={`${name} · version ${version}`} crumbs={[{ label: "Models", to: "/models" }, { label: name, to: path("models", name) }]}
            badge={query.data?.status && <StatusBadge state={query.data.status} />}
            note={query.data && (
                <>
                    <span>Created <RelativeTime at={query.data.creation_timestamp} /></span>
                    {(query.data.aliases ?? []).length > 0 && <AliasChips model={name} version={version} aliases={query.data.aliases ?? []} reload={query.reload} />}
                </>
            )}>
            <Loaded query={query}>
                {/* What comes later would push down what is read already. */}
                {(known) => (!areSettled(servable, entries, ...(runID ? [run] : [])) ? <Skeleton lines={10} /> :  <Known version={known} run={run.data} servable={servable.data} entries={entries.data?.revisions ?? []} />)}
            </Loaded>
        </Page>
    );
}

function Known({ version, run, servable, entries }: {
    version: ModelVersion; run: Run | undefined; servable: Servable | undefined; entries: Entry[];
}) {
    const tags = new Map((version.tags ?? []).map(({ key, value }) => [key, value]));
    const parity = servable?.manifest?.parity ?? (tags.has("aloft.parity") ? Number(tags.get("aloft.parity")) : undefined);
    const address = `models:/${version.name}/${version.version}`;
    const own = (version.tags ?? []).filter(({ key }) => !key.startsWith("aloft."));
    return (
        <div className="stack">
            <Card title="How it came about">
                <Lineage version={version} run={run} servable={servable} parity={parity} entries={entries} />
            </Card>
            <div className="grid-main">
                <div className="stack">
                    {version.description && <Card><p style={{ whiteSpace: "pre-wrap" }}>{version.description.slice(0, 5000)}</p></Card>}
                    <Entries entries={entries} name={version.name} version={version.version} />
                    {run && (
                        <Card title="Measured in its run" flush side={<Link to={path("runs", run.info.run_id)}>{runName(run).slice(0, 80)}</Link>}>
                            <MetricTable metrics={run.data.metrics ?? []} curves={`${path("runs", run.info.run_id)}?tab=curves`} />
                        </Card>
                    )}
                    {run && <Card title="Parameters" flush><KeyTable items={run.data.params ?? []} label="Parameters" empty="No parameters were logged." /></Card>}
                    <Card title="Use it">
                        <CodeBlock text={`import mlflow\n\nmodel = mlflow.pyfunc.load_model("${address}")\nmodel.predict(data)`} />
                        <p className="muted" style={{ margin: "14px 0 8px" }}>Or put it behind an address:</p>
                        <CodeBlock text={`aloft deploy ${version.name} --model ${version.name}/${version.version} --environment staging --wait`} />
                    </Card>
                </div>
                <div className="stack">
                    <Card title="Served form"><Form servable={servable} parity={parity} /></Card>
                    <Card title="Record">
                        <DescriptionList items={[
                            ["Address", <span key="address" className="mono small">{address} <CopyButton text={address} /></span>],
                            ["Run", version.run_id ? <Link to={path("runs", version.run_id)} className="mono small">{version.run_id}</Link> : undefined],
                            ["Model", version.model_id ? <span className="mono small">{version.model_id}</span> : undefined],
                            ["Parity", parity === undefined ? undefined : number(parity)],
                            ["Size", servable?.sizeBytes === undefined ? undefined : bytes(servable.sizeBytes)],
                            ["Source", <span key="source" className="mono small">{version.source}</span>],
                            ["Message", version.status_message],
                        ]} />
                    </Card>
                    {own.length > 0 && <Card title="Tags" flush><KeyTable items={own} label="Tags" empty="No tags." /></Card>}
                </div>
            </div>
        </div>
    );
}
