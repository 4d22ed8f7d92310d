import {
    useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState,
    type KeyboardEvent, type ReactNode,
} from "react";
import { historyKey, loadState, saveState } from "../core/historyState";
import { useIsMobile } from "./useIsMobile";

export interface Column<Row> {
    id: string;
    title: string;
    /** In pixels; wider where there is room. */
    width: number;
    /** On a phone, where columns without it are left out if one has it. */
    phone?: number;
    align?: "right";
    /** What the server sorts by; without it the column cannot be sorted. */
    sort?: string;
    cell: (row: Row) => ReactNode;
}

export interface Sort {
    key: string;
    descending: boolean;
}

interface Props<Row> {
    label: string;
    rows: Row[];
    rowID: (row: Row) => string;
    columns: Column<Row>[];
    sort?: Sort | undefined;
    onSort?: ((sort: Sort | undefined) => void) | undefined;
    selected?: Set<string> | undefined;
    onSelect?: ((selected: Set<string>) => void) | undefined;
    onOpen?: ((row: Row) => void) | undefined;
    /** Called when the end comes near and there is more. */
    onNearEnd?: (() => void) | undefined;
    /** A row that is a heading: no box to tick, another look. */
    isGroup?: ((row: Row) => boolean) | undefined;
    empty?: ReactNode;
    foot?: ReactNode;
    height?: string;
}

const ROW = 36;
const HEAD = 37;
const OVERSCAN = 8;
const TICK = 40;
/** Rows before the end where the next part is asked for. */
const NEAR_END = 150;

/** A table of any length: only the rows that can be seen exist in the page. */
export function VirtualTable<Row>(props: Props<Row>) {
    const { rows, rowID, onNearEnd, selected, onSelect } = props;
    const columns = useFitting(props.columns);
    const { scroller, view, measure, letGo } = useView(props.label, rows.length);
    const [active, setActive] = useState(-1);
    const lastTick = useRef(-1);

    const first = Math.max(0, Math.floor(view.top / ROW) - OVERSCAN);
    const last = Math.min(rows.length, Math.ceil((view.top + view.height) / ROW) + OVERSCAN);
    useEffect(() => {
        if (onNearEnd !== undefined && rows.length > 0 && last > rows.length - NEAR_END) onNearEnd();
    }, [last, rows.length, onNearEnd]);

    const template = useMemo(() => {
        const widths = columns.map(({ width }) => `minmax(0, ${width}fr)`);
        return (onSelect ? `${TICK}px ` : "") + widths.join(" ");
    }, [columns, onSelect]);
    // The head and the rows share one width: what they hold does not change it.
    const minWidth = columns.reduce((sum, { width }) => sum + width, onSelect ? TICK : 0);

    const tick = (index: number, extend: boolean) => {
        if (onSelect === undefined) return;
        const next = new Set(selected);
        const row = rows[index];
        if (row === undefined) return;
        const turnOn = !next.has(rowID(row));
        const from = extend && lastTick.current >= 0 ? lastTick.current : index;
        for (let at = Math.min(from, index); at <= Math.max(from, index); at += 1) {
            const each = rows[at];
            if (each === undefined || props.isGroup?.(each)) continue;
            if (turnOn) next.add(rowID(each));
            else next.delete(rowID(each));
        }
        lastTick.current = index;
        onSelect(next);
    };

    const moveTo = (index: number) => {
        const at = Math.max(0, Math.min(rows.length - 1, index));
        setActive(at);
        const element = scroller.current;
        if (element === null) return;
        if (at * ROW < element.scrollTop) element.scrollTop = at * ROW;
        const bottom = (at + 1) * ROW - (element.clientHeight - HEAD);
        if (bottom > element.scrollTop) element.scrollTop = bottom;
    };
    const onKey = (event: KeyboardEvent) => {
        if (event.target !== scroller.current) return;
        const page = Math.floor(view.height / ROW) - 2;
        const to: Record<string, number> = {
            ArrowDown: active + 1, j: active + 1, ArrowUp: active - 1, k: active - 1,
            PageDown: active + page, PageUp: active - page, Home: 0, End: rows.length - 1,
        };
        const target = to[event.key];
        const row = rows[active];
        if (target !== undefined) moveTo(target);
        else if (event.key === "Enter" && row !== undefined) props.onOpen?.(row);
        else if (event.key === " " && row !== undefined) tick(active, event.shiftKey);
        else return;
        event.preventDefault();
    };

    const selectable = props.isGroup ? rows.filter((row) => !props.isGroup?.(row)) : rows;
    const allTicked = selectable.length > 0 && selectable.every((row) => selected?.has(rowID(row)));
    const natural = HEAD + Math.max(rows.length, 1) * ROW + view.bar;
    const height = rows.length === 0 ? "240px" : `min(${natural}px, ${props.height ?? "72vh"})`;

    return (
        <div className="vtable">
            <div className="vtable-scroll" ref={scroller} onScroll={measure} onWheel={letGo} onPointerDown={letGo} onKeyDown={onKey}
                tabIndex={0} role="table" aria-label={props.label}
                aria-rowcount={onNearEnd ? -1 : rows.length + 1} style={{ height }}>
                <div role="rowgroup" style={{ position: "sticky", top: 0, zIndex: 3 }}>
                    <div className="vtable-head" role="row" style={{ gridTemplateColumns: template, minWidth }}>
                        {onSelect && (
                            <div className="head-cell" role="columnheader">
                                <input type="checkbox" aria-label="Select all loaded" checked={allTicked}
                                    onChange={() => onSelect(allTicked ? new Set() : new Set(selectable.map(rowID)))} />
                            </div>
                        )}
                        {columns.map((column, index) => (
                            <HeadCell key={column.id} column={column} isFirst={index === 0}
                                sort={props.sort} onSort={props.onSort} />
                        ))}
                    </div>
                </div>
                <div className="vtable-body" role="rowgroup" style={{ height: rows.length * ROW, minWidth }}>
                    {rows.slice(first, last).map((row, offset) => {
                        const index = first + offset;
                        const id = rowID(row);
                        return (
                            <Line key={id} row={row} index={index} columns={columns} template={template} isActive={index === active}
                                isGroup={props.isGroup?.(row) ?? false} isSelected={selected?.has(id) ?? false}
                                onTick={onSelect && ((extend) => tick(index, extend))} />
                        );
                    })}
                </div>
            </div>
            {rows.length === 0 && props.empty !== undefined && (
                <div style={{ position: "absolute", inset: "37px 0 0" }}>{props.empty}</div>
            )}
            {props.foot !== undefined && <div className="vtable-foot">{props.foot}</div>}
        </div>
    );
}

function Line<Row>({ row, index, columns, template, isActive, isGroup, isSelected, onTick }: {
    row: Row; index: number; columns: Column<Row>[]; template: string;
    isActive: boolean; isGroup: boolean; isSelected: boolean;
    onTick: ((extend: boolean) => void) | undefined;
}) {
    return (
        <div role="row" aria-rowindex={index + 2} aria-selected={onTick && !isGroup ? isSelected : undefined}
            className={`vtable-row${isActive ? " active" : ""}${isGroup ? " group-row" : ""}`}
            style={{ top: index * ROW, gridTemplateColumns: template }}>
            {onTick && (
                <div className="cell" role="cell">
                    {!isGroup && (
                        <input type="checkbox" aria-label={`Select row ${index + 1}`} checked={isSelected}
                            onChange={() => undefined} onClick={(event) => onTick(event.shiftKey)} />
                    )}
                </div>
            )}
            {columns.map((column, at) => (
                <div key={column.id} role="cell" className={`cell${column.align ? " right" : ""}${at === 0 ? " stuck" : ""}`}>
                    {column.cell(row)}
                </div>
            ))}
        </div>
    );
}

/** What of the table can be seen, and its return to where it was left. */
function useView(label: string, rowCount: number) {
    const scroller = useRef<HTMLDivElement>(null);
    const [view, setView] = useState({ top: 0, height: 600, bar: 0 });
    const place = useRef(historyKey());
    const memory = `scroll/${label}`;
    /** Where the table was left, until it is there again. */
    const wanted = useRef(loadState<number>(place.current, memory) ?? 0);
    useLayoutEffect(() => {
        const element = scroller.current;
        if (element === null || wanted.current === 0 || rowCount === 0) return;
        element.scrollTop = wanted.current;
        if (element.scrollTop >= wanted.current - 1) wanted.current = 0;
    }, [rowCount]);

    const measure = useCallback(() => {
        const element = scroller.current;
        if (element === null) return;
        if (wanted.current === 0) saveState(place.current, memory, element.scrollTop);
        const [top, height, bar] = [element.scrollTop, element.clientHeight, element.offsetHeight - element.clientHeight];
        setView((before) =>
            (before.top === top && before.height === height && before.bar === bar ? before : { top, height, bar }));
    }, [memory]);
    useLayoutEffect(() => {
        measure();
        const element = scroller.current;
        if (element === null) return;
        const watcher = new ResizeObserver(measure);
        watcher.observe(element);
        return () => watcher.disconnect();
    }, [measure]);
    const letGo = useCallback(() => { wanted.current = 0; }, []);
    return { scroller, view, measure, letGo };
}

function useFitting<Row>(columns: Column<Row>[]): Column<Row>[] {
    const phone = useIsMobile();
    return useMemo(() => {
        if (!phone || columns.every((column) => column.phone === undefined)) return columns;
        return columns.flatMap((column) => (column.phone === undefined ? [] : [{ ...column, width: column.phone }]));
    }, [columns, phone]);
}

function HeadCell<Row>({ column, isFirst, sort, onSort }: {
    column: Column<Row>; isFirst: boolean; sort?: Sort | undefined;
    onSort?: ((sort: Sort | undefined) => void) | undefined;
}) {
    const isSorted = sort !== undefined && sort.key === column.sort;
    const next = (): Sort | undefined => {
        const key = column.sort ?? "";
        if (!isSorted) return { key, descending: true };
        return sort.descending ? { key, descending: false } : undefined;
    };
    const direction = isSorted ? (sort.descending ? "descending" : "ascending") : undefined;
    return (
        <div role="columnheader" aria-sort={direction}
            className={`head-cell${column.align ? " right" : ""}${isFirst ? " stuck" : ""}`}>
            {column.sort !== undefined && onSort !== undefined ? (
                <button type="button" title={`Sort by ${column.title.slice(0, 200)}`} onClick={() => onSort(next())}>
                    {column.title.slice(0, 120)}
                </button>
            ) : <span className="cut">{column.title.slice(0, 120)}</span>}
            {isSorted && <span aria-hidden="true">{sort.descending ? "↓" : "↑"}</span>}
        </div>
    );
}
