import type { ReactNode } from "react";

export interface ResponsiveColumn<Row> {
    title: string;
    /** The title is for those who do not see the buttons under it. */
    hideTitle?: boolean;
    right?: boolean;
    /** Left out on a phone: the same stands elsewhere on the page. */
    wide?: boolean;
    className?: string;
    cell: (row: Row) => ReactNode;
}

/**
 * A short table. On a phone each row becomes a block, its first cell the head and the others named
 * lines; with `keep` it stays a table, narrower.
 */
export function ResponsiveTable<Row>({ label, rows, rowID, columns, keep = false }: {
    label: string; rows: Row[]; rowID: (row: Row) => string; columns: ResponsiveColumn<Row>[]; keep?: boolean;
}) {
    const classOf = ({ right, wide, className = "" }: ResponsiveColumn<Row>) =>
        `${right ? "right " : ""}${wide ? "wide-only " : ""}${className}`.trim() || undefined;
    // Blocks are no table to a reader unless the roles say so.
    return (
        <div className="table-box">
            <table className={`plain ${keep ? "compact" : "stacks"}`} role="table" aria-label={label}>
                <thead role="rowgroup">
                    <tr role="row">
                        {columns.map((column) => (
                            <th key={column.title} scope="col" role="columnheader" className={classOf(column)}>
                                {column.hideTitle ? <span className="visually-hidden">{column.title}</span> : column.title}
                            </th>
                        ))}
                    </tr>
                </thead>
                <tbody role="rowgroup">
                    {rows.map((row) => (
                        <tr key={rowID(row)} role="row">
                            {columns.map((column) => (
                                <td key={column.title} role="cell" className={classOf(column)} data-label={column.hideTitle ? "" : column.title}>
                                    {column.cell(row)}
                                </td>
                            ))}
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}
