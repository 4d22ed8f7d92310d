import { useCallback, useMemo, useState } from "react";
import { serverAddress } from "../../api/base";
import { countRuns, deleteRun, getExperiment, getRuns, quoteKey, readRunKeys, restoreExperiment, restoreRun, type Run } from "../../api/mlflow";
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
import { navigate, encodeItem, path, setSearchParams, useSearchParam, useSearchParamList } from "../../core/router";
import { FilterInput, type KnownKeys } from "./FilterInput";
import { asFilter } from "./filters";
import { columnsFor, keysOf, nested, rowOf, usualColumns, withAll, type Row } from "./rows";
import { useGroups } from "./useGroups";
import { useRuns } from "./useRuns";
import { ViewsMenu } from "./Views";

const groupID = (row: Row) => row.id;
const isHeading = (row: Row) => row.kind !== "run";

/** The runs of one experiment. Filter, order, columns, group and pins are in the address. */
export function Runs({ experiment }: { experiment: string }) {
    const [typed, setFilter] = useSearchParam("filter");
    const filter = asFilter(typed);
    const [stage, setStage] = useSearchParam("stage");
    const deleted = stage === "deleted";
    const [order, setOrder] = useSearchParam("order");
    const [chosen, setChosen] = useSearchParamList("columns");
    const [group, setGroup] = useSearchParam("group");
    const [pins, setPins] = useSearchParamList("pin");
    const [selected, setSelected] = useHistoryState<Set<string>>("selected", new Set());
    const [deleting, setDeleting] = useState(false);

    const about = useQuery(`experiment/${experiment}`, () => getExperiment(experiment), { invalidateOn: ["experiment"] });
    const list = useRuns(experiment, filter, order === "" ? [] : [order], deleted);
    const total = useQuery(list.error !== null ? null : `count/${experiment}/${stage}/${filter}`,
        () => countRuns({ experiments: [experiment], filter, deleted }), { invalidateOn: ["run", "job"], throttle: 5000 });
    const pinned = useQuery(pins.length === 0 ? null : `pinned/${pins.join()}`, async () =>
        (await getRuns(pins)).filter((run): run is Run => run !== null));

    const top = useMemo(() => (pins.length === 0 ? [] : pinned.data ?? []).map((run) => rowOf(run, true)), [pinned.data, pins]);
    const rows = useMemo(() => {
        const held = new Set(top.map(({ id }) => id));
        return [...top, ...list.runs.filter(({ info }) => !held.has(info.run_id)).map((run) => rowOf(run, false))];
    }, [list.runs, top]);
    const all = useQuery(`keys/${experiment}`, () => readRunKeys([experiment]), { invalidateOn: ["run"], throttle: 20_000, staleTime: 10_000 });
    const loaded = useMemo(() => keysOf(rows), [rows]);
    const keys = useMemo(() => withAll(loaded, all.data), [loaded, all.data]);
    const ids = chosen.length > 0 ? chosen : usualColumns(loaded);
    const idText = ids.map(encodeItem).join();
    const groups = useGroups(
        { experiments: [experiment], filter, deleted, order: order === "" ? [] : [order] }, group,
        ids.filter((id) => id.startsWith("metrics.")).map((id) => id.slice("metrics.".length)));
    const shown = useMemo((): Row[] => (group !== "" ? [...top, ...groups.rows] : order === "" ? nested(rows) : rows),
        [rows, top, group, order, groups.rows]);

    const pin = useCallback((id: string) =>
        setPins(pins.includes(id) ? pins.filter((each) => each !== id) : [...pins, id]), [pins, setPins]);
    // eslint-disable-next-line -- `idText` stands for `ids`, which is new each time
    const columns = useMemo(() => columnsFor(ids, { pin, toggle: groups.toggle, loadMore: groups.loadMore }), [idText, pin, groups.toggle, groups.loadMore]);
    const sort = sortOf(order);
    const onSort = useCallback((next: Sort | undefined) =>
        setOrder(next === undefined ? "" : `${next.key} ${next.descending ? "DESC" : "ASC"}`), [setOrder]);

    const compare = () => navigate(`/compare?runs=${[...selected].slice(0, 200).join(",")}`);
    const reload = () => {
        list.reload();
        groups.reload();
        void total.reload();
    };
    const remove = async () => {
        const gone = [...selected];
        for (const id of gone) await deleteRun(id);
        setSelected(new Set());
        reload();
        toast(`Deleted ${count(gone.length)} ${gone.length === 1 ? "run" : "runs"}.`, () => {
            void Promise.all(gone.map(restoreRun)).then(reload);
        });
    };

    const restore = async () => {
        const back = [...selected];
        for (const id of back) await restoreRun(id);
        setSelected(new Set());
        reload();
        toast(`Restored ${count(back.length)} ${back.length === 1 ? "run" : "runs"}.`);
    };

    if (about.error !== null && about.data === undefined) {
        return (
            <Page title={`Experiment ${experiment.slice(0, 40)}`} crumbs={[{ label: "Experiments", to: "/experiments" }]}>
                <ErrorBox error={about.error} retry={() => void about.reload()} />
            </Page>
        );
    }
    const name = about.data?.name ?? `Experiment ${experiment}`;
    const isFirstLoad = list.isLoading && rows.length === 0 && list.error === null;
    return (
        <Page title={name} crumbs={[{ label: "Experiments", to: "/experiments" }]}
            note={<><span>Experiment {experiment}</span><CopyButton text={experiment} label="Copy id" /></>}
            actions={selected.size > 0 && (
                <>
                    <span className="muted numbers">{count(selected.size)} selected</span>
                    <button type="button" className="button quiet" onClick={() => setSelected(new Set())}>Clear</button>
                    {deleted ? <button type="button" className="button" onClick={() => void restore()}>Restore</button>
                        : <button type="button" className="button danger" onClick={() => setDeleting(true)}>Delete</button>}
                    <button type="button" className="button primary" disabled={selected.size < 2} onClick={compare}>Compare</button>
                </>
            )}>
            {about.data?.lifecycle_stage === "deleted" && (
                <p className="offline">
                    This experiment is deleted, and its runs with it.{" "}
                    <button type="button" className="button small" onClick={() => void restoreExperiment(experiment).then(about.reload).then(reload)}>Restore it</button>
                </p>
            )}
            <div className="toolbar">
                <FilterInput value={typed} keys={keys} onSubmit={setFilter} error={list.error} />
                <select className="select" aria-label="Which runs" value={stage}
                    onChange={(event) => { setSelected(new Set()); setStage(event.target.value); }}>
                    <option value="">Active runs</option>
                    <option value="deleted">Deleted runs</option>
                </select>
                <OrderMenu keys={keys} sort={sort} onChange={onSort} />
                <GroupMenu keys={keys} group={group} onChange={setGroup} />
                <ColumnMenu keys={keys} chosen={ids} onChange={setChosen} />
                <ViewsMenu experiment={about.data} reload={about.reload} />
            </div>
            <ErrorBox error={list.error ?? groups.error} retry={list.reload} />
            {isFirstLoad ? <div className="card"><Skeleton lines={8} /></div> : (
                <VirtualTable label="Runs" rows={shown} rowID={groupID} columns={columns} isGroup={isHeading}
                    sort={sort} onSort={onSort} selected={selected} onSelect={setSelected}
                    onOpen={(row) => row.kind === "run" && navigate(path("runs", row.id))}
                    onNearEnd={group === "" && list.hasMore ? list.loadMore : undefined} height="calc(100vh - 270px)"
                    empty={<NoRuns filter={filter} deleted={deleted} hasError={list.error !== null} />}
                    foot={(
                        <>
                            <span className="numbers">
                                {group === "" ? countText(list.runs.length, total.data, list.hasMore)
                                    : `${count(total.data ?? 0)} runs in ${groups.hasMore ? "more than " : ""}${count(groups.rows.filter(({ kind }) => kind === "group").length)} groups`}
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

function sortOf(order: string): Sort | undefined {
    const match = /^(.*) (ASC|DESC)$/.exec(order);
    return match === null ? undefined : { key: match[1] ?? "", descending: match[2] === "DESC" };
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
