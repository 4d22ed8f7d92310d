import { useCallback, useMemo } from "react";
import { countRuns, getRuns, readRunKeys, type Run } from "../../api/mlflow";
import type { Sort } from "../../components/VirtualTable";
import { useQuery } from "../../core/query";
import { encodeItem, useSearchParam, useSearchParamList } from "../../core/router";
import { asFilter } from "./filters";
import { columnsFor, keysOf, nested, rowOf, usualColumns, withAll, type Row } from "./rows";
import { useGroups } from "./useGroups";
import { useRuns } from "./useRuns";

/** What the address says of the table of an experiment's runs, and the rows and columns that this makes. */
export function useRunTable(experiment: string) {
    const [typed, setFilter] = useSearchParam("filter");
    const filter = asFilter(typed);
    const [stage, setStage] = useSearchParam("stage");
    const deleted = stage === "deleted";
    const [order, setOrder] = useSearchParam("order");
    const [chosen, setChosen] = useSearchParamList("columns");
    const [group, setGroup] = useSearchParam("group");
    const [pins, setPins] = useSearchParamList("pin");
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
    const reload = () => {
        list.reload();
        groups.reload();
        void total.reload();
    };
    return {
        typed, setFilter, filter, stage, setStage, deleted, group, setGroup, setChosen, sort, onSort,
        list, total, groups, rows, shown, keys, ids, columns, reload,
    };
}

function sortOf(order: string): Sort | undefined {
    const match = /^(.*) (ASC|DESC)$/.exec(order);
    return match === null ? undefined : { key: match[1] ?? "", descending: match[2] === "DESC" };
}
