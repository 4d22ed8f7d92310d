import { useState } from "react";
import { serverAddress } from "../../api/base";
import { deleteRun, getExperiment, quoteKey, restoreExperiment, restoreRun } from "../../api/mlflow";
import { CodeBlock, CopyButton } from "../../components/Copy";
import { Menu } from "../../components/Menu";
import { Page } from "../../components/Page";
import { ConfirmDialog } from "../../components/Form";
import { Empty, ErrorBox, Skeleton } from "../../components/State";
import { toast } from "../../components/Toast";
import { VirtualTable, type Sort } from "../../components/VirtualTable";
import { count } from "../../core/format";
import { useHistoryState } from "../../core/historyState";
import { useQuery } from "../../core/query";
import { navigate, path, setSearchParams } from "../../core/router";
import { FilterInput, type KnownKeys } from "./FilterInput";
import type { Row } from "./rows";
import { useRunTable } from "./useRunTable";
import { ViewsMenu } from "./Views";

const groupID = (row: Row) => row.id;
const isHeading = (row: Row) => row.kind !== "run";

/** The runs of one experiment. Filter, order, columns, group and pins are in the address. */
export function Runs({ experiment }: { experiment: string }) {
    const table = useRunTable(experiment);
    const { list, total, groups, group, filter, deleted, keys, reload } = table;
    const [selected, setSelected] = useHistoryState<Set<string>>("selected", new Set());
    const [deleting, setDeleting] = useState(false);

    const about = useQuery(`experiment/${experiment}`, () => getExperiment(experiment), { invalidateOn: ["experiment"] });

    const compare = () => navigate(`/compare?runs=${[...selected].slice(0, 200).join(",")}`);
    const { remove, restore } = useBin(selected, setSelected, reload);

    if (about.error !== null && about.data === undefined) {
        return <Unknown experiment={experiment} error={about.error} retry={() => void about.reload()} />;
    }
    const name = about.data?.name ?? `Experiment ${experiment}`;
    const isFirstLoad = list.isLoading && table.rows.length === 0 && list.error === null;
    return (
        <Page title={name} crumbs={[{ label: "Experiments", to: "/experiments" }]}
            note={<><span>Experiment {experiment}</span><CopyButton text={experiment} label="Copy id" /></>}
            actions={selected.size > 0 && (
                <Actions selected={selected} deleted={deleted} onClear={() => setSelected(new Set())}
                    onRestore={() => void restore()} onDelete={() => setDeleting(true)} onCompare={compare} />
            )}>
            {about.data?.lifecycle_stage === "deleted" && (
                <Deleted onRestore={() => void restoreExperiment(experiment).then(about.reload).then(reload)} />
            )}
            <div className="toolbar">
                <FilterInput value={table.typed} keys={keys} onSubmit={table.setFilter} error={list.error} />
                <StageSelect stage={table.stage} onChange={(next) => { setSelected(new Set()); table.setStage(next); }} />
                <OrderMenu keys={keys} sort={table.sort} onChange={table.onSort} />
                <GroupMenu keys={keys} group={group} onChange={table.setGroup} />
                <ColumnMenu keys={keys} chosen={table.ids} onChange={table.setChosen} />
                <ViewsMenu experiment={about.data} reload={about.reload} />
            </div>
            <ErrorBox error={list.error ?? groups.error} retry={list.reload} />
            {isFirstLoad ? <div className="card"><Skeleton lines={8} /></div> : (
                <VirtualTable label="Runs" rows={table.shown} rowID={groupID} columns={table.columns} isGroup={isHeading}
                    sort={table.sort} onSort={table.onSort} selected={selected} onSelect={setSelected}
                    onOpen={(row) => row.kind === "run" && navigate(path("runs", row.id))}
                    onNearEnd={group === "" && list.hasMore ? list.loadMore : undefined} height="calc(100vh - 270px)"
                    empty={<NoRuns filter={filter} deleted={deleted} hasError={list.error !== null} />}
                    foot={(
                        <>
                            <span className="numbers">
                                {group === "" ? countText(list.runs.length, total.data, list.hasMore) : groupText(total.data, groups)}
                            </span>
                            <span>{list.isLoading ? "Loading…" : ""}</span>
                        </>
                    )} />
            )}
            {deleting && (
                <ConfirmDialog title={`Delete ${count(selected.size)} ${selected.size === 1 ? "run" : "runs"}?`}
                    confirm="Delete" danger onConfirm={remove} onClose={() => setDeleting(false)}>
                    <p className="soft">They are hidden from lists and can be restored.</p>
                </ConfirmDialog>
            )}
        </Page>
    );
}

function Unknown({ experiment, error, retry }: { experiment: string; error: Error; retry: () => void }) {
    return (
        <Page title={`Experiment ${experiment.slice(0, 40)}`} crumbs={[{ label: "Experiments", to: "/experiments" }]}>
            <ErrorBox error={error} retry={retry} />
        </Page>
    );
}

/** Deletes what is selected, and brings it back. */
function useBin(selected: Set<string>, setSelected: (next: Set<string>) => void, reload: () => void) {
    const each = async (change: (id: string) => Promise<unknown>) => {
        const ids = [...selected];
        for (const id of ids) await change(id);
        setSelected(new Set());
        reload();
        return ids;
    };
    const runs = (ids: string[]) => `${count(ids.length)} ${ids.length === 1 ? "run" : "runs"}`;
    const remove = async () => {
        const gone = await each(deleteRun);
        toast(`Deleted ${runs(gone)}.`, () => {
            void Promise.all(gone.map(restoreRun)).then(reload);
        });
    };
    const restore = async () => toast(`Restored ${runs(await each(restoreRun))}.`);
    return { remove, restore };
}

function Actions({ selected, deleted, onClear, onRestore, onDelete, onCompare }: {
    selected: Set<string>; deleted: boolean;
    onClear: () => void; onRestore: () => void; onDelete: () => void; onCompare: () => void;
}) {
    return (
        <>
            <span className="muted numbers">{count(selected.size)} selected</span>
            <button type="button" className="button quiet" onClick={onClear}>Clear</button>
            {deleted ? <button type="button" className="button" onClick={onRestore}>Restore</button>
                : <button type="button" className="button danger" onClick={onDelete}>Delete</button>}
            <button type="button" className="button primary" disabled={selected.size < 2} onClick={onCompare}>Compare</button>
        </>
    );
}

function Deleted({ onRestore }: { onRestore: () => void }) {
    return (
        <p className="offline">
            This experiment is deleted, and its runs with it.{" "}
            <button type="button" className="button small" onClick={onRestore}>Restore it</button>
        </p>
    );
}

function StageSelect({ stage, onChange }: { stage: string; onChange: (stage: string) => void }) {
    return (
        <select className="select" aria-label="Which runs" value={stage} onChange={(event) => onChange(event.target.value)}>
            <option value="">Active runs</option>
            <option value="deleted">Deleted runs</option>
        </select>
    );
}

function groupText(total: number | undefined, groups: { rows: Row[]; hasMore: boolean }): string {
    const known = groups.rows.filter(({ kind }) => kind === "group").length;
    return `${count(total ?? 0)} runs in ${groups.hasMore ? "more than " : ""}${count(known)} groups`;
}

/** How many runs there are, and how many of them the table holds. */
function countText(loaded: number, total: number | undefined, hasMore: boolean): string {
    const all = hasMore ? total : loaded;
    if (all === undefined) return `${count(loaded)} runs loaded; scroll for more`;
    return hasMore ? `${count(loaded)} of ${count(all)} runs loaded; scroll for more` : `${count(all)} ${all === 1 ? "run" : "runs"}`;
}

/** Orders by anything that any run has, also by what is no column; a heading turns the order round. */
function OrderMenu({ keys, sort, onChange }: { keys: KnownKeys; sort: Sort | undefined; onChange: (sort: Sort | undefined) => void }) {
    const choices: [string, string][] = [
        ["attributes.run_name", "name"], ["attributes.end_time", "end"],
        ...keys.metrics.map((key): [string, string] => [`metrics.${quoteKey(key)}`, key]),
        ...keys.params.map((key): [string, string] => [`params.${quoteKey(key)}`, key]),
    ];
    const isListed = sort === undefined || choices.some(([key]) => key === sort.key);
    return (
        <select className="select" aria-label="Order by" value={sort?.key ?? ""}
            onChange={(event) => onChange(event.target.value === "" ? undefined : { key: event.target.value, descending: true })}>
            <option value="">Newest first</option>
            {!isListed && <option value={sort.key}>Order by {sort.key.replace(/^attributes\./, "").slice(0, 50)}</option>}
            {choices.map(([key, label]) => <option key={key} value={key}>Order by {label.slice(0, 50)}</option>)}
        </select>
    );
}

function GroupMenu({ keys, group, onChange }: { keys: KnownKeys; group: string; onChange: (group: string) => void }) {
    return (
        <select className="select" aria-label="Group by" value={group} onChange={(event) => onChange(event.target.value)}>
            <option value="">No groups</option>
            <option value="status">Group by status</option>
            {keys.params.map((key) => <option key={key} value={`params.${key}`}>Group by {key.slice(0, 50)}</option>)}
            {keys.tags.filter((key) => !key.startsWith("mlflow.")).slice(0, 40).map((key) => (
                <option key={`tag ${key}`} value={`tags.${key}`}>Group by tag {key.slice(0, 50)}</option>
            ))}
        </select>
    );
}

function ColumnMenu({ keys, chosen, onChange }: { keys: KnownKeys; chosen: string[]; onChange: (ids: string[]) => void }) {
    const [find, setFind] = useState("");
    const on = new Set(chosen);
    const groups: [string, string[]][] = [
        ["Run", ["start", "duration", "user"]],
        ["Metrics", keys.metrics.map((key) => `metrics.${key}`)],
        ["Parameters", keys.params.map((key) => `params.${key}`)],
        ["Tags", keys.tags.map((key) => `tags.${key}`)],
    ];
    const label = (id: string) => id.replace(/^(metrics|params|tags)\./, "");
    return (
        <Menu label="Columns">
            <input className="input" type="search" aria-label="Find a column" placeholder="Find a column"
                value={find} onChange={(event) => setFind(event.target.value)} />
            {groups.map(([title, ids]) => {
                const shown = ids.filter((id) => label(id).toLowerCase().includes(find.toLowerCase())).slice(0, 200);
                return shown.length > 0 && (
                    <div key={title}>
                        <h3>{title}</h3>
                        {shown.map((id) => (
                            <label key={id} className="check">
                                <input type="checkbox" checked={on.has(id)}
                                    onChange={() => onChange(on.has(id) ? chosen.filter((each) => each !== id) : [...chosen, id])} />
                                <span className="cut">{label(id).slice(0, 120)}</span>
                            </label>
                        ))}
                    </div>
                );
            })}
            <button type="button" className="button small quiet" onClick={() => setSearchParams({ columns: "" })}>Usual columns</button>
        </Menu>
    );
}

function NoRuns({ filter, deleted, hasError }: { filter: string; deleted: boolean; hasError: boolean }) {
    if (hasError) return null;
    if (deleted && filter === "") return <Empty title="No run is deleted" />;
    if (filter !== "") {
        return (
            <Empty title="No run fits this filter"
                actions={<button type="button" className="button" onClick={() => setSearchParams({ filter: "" })}>Clear the filter</button>} />
        );
    }
    return (
        <Empty title="No runs yet">
            <CodeBlock text={`MLFLOW_TRACKING_URI=${serverAddress()} python train.py`} />
        </Empty>
    );
}
