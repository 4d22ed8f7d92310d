import { useState } from "react";
import { call } from "../../api/client";
import type { Schemas } from "../../api/generated";
import {
    deleteAlias, describeModel, getModel, quote, searchVersions, setAlias, type ModelVersion, type RegisteredModel,
} from "../../api/mlflow";
import { Card } from "../../components/Card";
import { Page } from "../../components/Page";
import { StatusBadge } from "../../components/Status";
import { ConfirmDialog, Field } from "../../components/Form";
import { AliasChips } from "../../components/AliasChips";
import { ResponsiveTable } from "../../components/ResponsiveTable";
import { Empty, Loaded } from "../../components/State";
import { toast } from "../../components/Toast";
import { RelativeTime } from "../../components/Time";
import { useQuery } from "../../core/query";
import { Link, path } from "../../core/router";

/** One registered model: versions and where its aliases point. */
export function Model({ name }: { name: string }) {
    const model = useQuery(`model/${name}`, () => getModel(name), { invalidateOn: ["version", "model"] });
    const versions = useQuery(`versions/${name}`, () => searchVersions(`name = ${quote(name)}`), { invalidateOn: ["version", "model", "servable"] });
    const revisions = useQuery(`revisions/${name}`, () => call("ListRevisions", { query: { model: name, limit: 300 } }), { invalidateOn: ["revision", "rollout"] });
    const [dialog, setDialog] = useState<"alias" | "describe" | null>(null);
    const reload = async () => { await Promise.all([model.reload(), versions.reload()]); };
    return (
        <Page title={name} crumbs={[{ label: "Models", to: "/models" }]}
            actions={model.data && (
                <>
                    <button type="button" className="button" onClick={() => setDialog("describe")}>Describe</button>
                    <button type="button" className="button primary" disabled={(versions.data ?? []).length === 0} onClick={() => setDialog("alias")}>Set alias</button>
                </>
            )}>
            <Loaded query={model}>
                {(known) => (
                    <div className="stack">
                        {known.description && <Card><p style={{ whiteSpace: "pre-wrap" }}>{known.description.slice(0, 5000)}</p></Card>}
                        <Card title="Versions" flush>
                            <Loaded query={versions}>{(all) => <Versions model={known} versions={all} reload={reload} revisions={revisions.data?.revisions ?? []} />}</Loaded>
                        </Card>
                        {(known.tags ?? []).length > 0 && (
                            <Card title="Tags">
                                <div className="row">{known.tags?.map(({ key, value }) => <span key={key} className="chip"><bdi className="cut">{key}: {value.slice(0, 200)}</bdi></span>)}</div>
                            </Card>
                        )}
                        {dialog === "alias" && <AliasDialog model={known} versions={versions.data ?? []} onClose={() => setDialog(null)} onDone={reload} />}
                        {dialog === "describe" && <DescribeDialog model={known} onClose={() => setDialog(null)} onDone={reload} />}
                    </div>
                )}
            </Loaded>
        </Page>
    );
}

type Entry = Schemas["ListRevisionsItem"];

/** Where a version is or is going, and else the last thing that came of it. */
function Places({ entries }: { entries: Entry[] }) {
    const standing = entries.filter(({ revision }) => !revision.hasEnded);
    const shown = standing.length > 0 ? standing : entries.slice(0, 1);
    if (shown.length === 0) return <Missing />;
    return (
        <div className="row">
            {shown.slice(0, 4).map(({ deployment, environment, revision }) => (
                <span key={revision.id} className="row nowrap">
                    <Link to={`${path("deployments", deployment)}?environment=${encodeURIComponent(environment)}`}>{environment}</Link>
                    <StatusBadge state={revision.state} />
                </span>
            ))}
        </div>
    );
}

function checksText(entries: Entry[]): string {
    const checks = entries.find(({ revision }) => revision.checks.some(({ held }) => held !== undefined && held !== null))?.revision.checks ?? [];
    if (checks.length === 0) return "–";
    return `${checks.filter(({ held }) => held === true).length} of ${checks.length}`;
}

function Versions({ model, versions, revisions, reload }: {
    model: RegisteredModel; versions: ModelVersion[]; revisions: Entry[]; reload: () => Promise<void>;
}) {
    if (versions.length === 0) return <Empty title="No versions yet" />;
    const aliases = new Map<string, string[]>();
    for (const { alias, version } of model.aliases ?? []) aliases.set(version, [...(aliases.get(version) ?? []), alias]);
    const entriesOf = ({ version }: ModelVersion) => revisions.filter(({ revision }) => String(revision.version) === version);
    return (
        <ResponsiveTable label="Versions" rows={versions} rowID={({ version }) => version} columns={[
            {
                title: "Version",
                cell: ({ version, description }) => (
                    <>
                        <Link to={path("models", model.name, "versions", version)} className="nowrap">Version {version}</Link>
                        {description && <div className="muted small cut" style={{ maxWidth: 360 }}><bdi>{description.slice(0, 200)}</bdi></div>}
                    </>
                ),
            },
            { title: "Aliases", cell: ({ version }) => <AliasChips model={model.name} version={version} aliases={aliases.get(version) ?? []} reload={reload} /> },
            { title: "Environments", cell: (version) => <Places entries={entriesOf(version)} /> },
            { title: "Checks held", right: true, className: "nowrap", cell: (version) => checksText(entriesOf(version)) },
            { title: "Parity", right: true, className: "nowrap", cell: (version) => parityOf(version) ?? <Missing /> },
            { title: "Run", cell: ({ run_id: run }) => (run ? <Link to={path("runs", run)} className="mono small">{run.slice(0, 8)}</Link> : <Missing />) },
            { title: "Created", cell: ({ creation_timestamp: at }) => <RelativeTime at={at} /> },
        ]} />
    );
}

function Missing() {
    return <span className="muted">–</span>;
}

function parityOf(version: ModelVersion): string | undefined {
    const parity = version.tags?.find(({ key }) => key === "aloft.parity")?.value;
    return parity === undefined ? undefined : Number(parity).toExponential(1);
}

function AliasDialog({ model, versions, onClose, onDone }: {
    model: RegisteredModel; versions: ModelVersion[]; onClose: () => void; onDone: () => Promise<void>;
}) {
    const [alias, setAliasName] = useState(model.aliases?.[0]?.alias ?? "champion");
    const [version, setVersion] = useState(versions[0]?.version ?? "1");
    const before = model.aliases?.find((each) => each.alias === alias)?.version;
    const save = async () => {
        await setAlias(model.name, alias, version);
        await onDone();
        toast(`${alias} is version ${version} now.`, () => {
            const back = before === undefined ? deleteAlias(model.name, alias) : setAlias(model.name, alias, before);
            void back.then(onDone);
        });
    };
    return (
        <ConfirmDialog title="Set an alias" confirm="Set alias" onConfirm={save} onClose={onClose}>
            <p className="soft">An alias is a name that people and jobs use in place of a number. Moving it moves everyone who asks by it.</p>
            <Field label="Alias" hint={before === undefined ? "Letters, digits, - and _" : `Now version ${before}`}>
                {(id) => <input id={id} className="input" required pattern="[A-Za-z0-9_\-]+" value={alias} onChange={(event) => setAliasName(event.target.value)} />}
            </Field>
            <Field label="Version">
                {(id) => (
                    <select id={id} className="select" value={version} onChange={(event) => setVersion(event.target.value)}>
                        {versions.map((each) => <option key={each.version} value={each.version}>Version {each.version}</option>)}
                    </select>
                )}
            </Field>
        </ConfirmDialog>
    );
}

function DescribeDialog({ model, onClose, onDone }: { model: RegisteredModel; onClose: () => void; onDone: () => Promise<void> }) {
    const [text, setText] = useState(model.description ?? "");
    return (
        <ConfirmDialog title="Describe this model" confirm="Save" onClose={onClose} onConfirm={() => describeModel(model.name, text).then(onDone)}>
            <Field label="Description">
                {(id) => <textarea id={id} className="textarea" rows={6} value={text} onChange={(event) => setText(event.target.value)} />}
            </Field>
        </ConfirmDialog>
    );
}
