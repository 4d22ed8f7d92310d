import { useState } from "react";
import type { DatasetInput } from "../../api/mlflow";
import { Card } from "../../components/Card";
import { DescriptionList } from "../../components/DescriptionList";
import { Empty } from "../../components/State";
import { count } from "../../core/format";

/** Columns that are shown before "Show all", and at most. */
const FIRST = 20;
const MOST = 2000;

interface ColumnOf {
    name: string;
    type: string;
    isOptional: boolean;
}

/** What the run logged about its data: where it came from, how much it is, and its columns. */
export function Datasets({ inputs }: { inputs: DatasetInput[] }) {
    return (
        <Card title="Data" flush>
            {inputs.length === 0 ? <Empty title="No datasets logged" /> : (
                <ul className="list">
                    {inputs.map((input) => <Dataset key={`${input.dataset.name} ${input.dataset.digest}`} input={input} />)}
                </ul>
            )}
        </Card>
    );
}

function Dataset({ input: { dataset, tags } }: { input: DatasetInput }) {
    const [all, setAll] = useState(false);
    const columns = columnsOf(dataset.schema);
    const profile = parsed(dataset.profile);
    const sizes: [string, string | undefined][] = Object.entries(isRecord(profile) ? profile : {})
        .slice(0, 12).map(([name, value]) => [words(name), shown(value)]);
    return (
        <li className="dataset">
            <div className="grow">
                <div className="row between">
                    <span className="cut"><bdi>{dataset.name.slice(0, 200)}</bdi></span>
                    {tags?.map(({ key, value }) => (
                        <span key={key} className="chip"><bdi>{key === "mlflow.data.context" ? value : `${key}: ${value}`}</bdi></span>
                    ))}
                </div>
                <DescriptionList items={[
                    ["Digest", <span key="digest" className="mono small">{dataset.digest}</span>],
                    ["Source", <bdi key="source" className="mono small wrap">{sourceOf(dataset.source).slice(0, 2000)}</bdi>],
                    ["Kind", dataset.source_type],
                    ...sizes,
                ]} />
                {columns.length > 0 && (
                    <table className="plain compact" aria-label={`Columns of ${dataset.name.slice(0, 80)}`}>
                        <thead><tr><th scope="col">Column</th><th scope="col">Type</th></tr></thead>
                        <tbody>
                            {columns.slice(0, all ? MOST : FIRST).map((column, index) => (
                                <tr key={index}>
                                    <td><bdi>{column.name.slice(0, 200)}</bdi></td>
                                    <td className="muted">{column.type.slice(0, 100)}{column.isOptional ? ", optional" : ""}</td>
                                </tr>
                            ))}
                        </tbody>
                    </table>
                )}
                {!all && columns.length > FIRST && <button type="button" className="button small" onClick={() => setAll(true)}>Show all {count(columns.length)} columns</button>}
                {all && columns.length > MOST && <p className="muted small">The first {count(MOST)} of {count(columns.length)} columns.</p>}
            </div>
        </li>
    );
}

function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsed(text: string | undefined): unknown {
    try {
        return JSON.parse(text ?? "");
    } catch {
        return undefined;
    }
}

/** Columns and tensors, as every kind of dataset of the client writes them. */
function columnsOf(schema: string | undefined): ColumnOf[] {
    const all = parsed(schema);
    if (!isRecord(all)) return [];
    const column = (each: unknown): ColumnOf[] => {
        if (!isRecord(each)) return [];
        const tensor = each["tensor-spec"];
        const type = isRecord(tensor) ? `${shown(tensor["dtype"]) ?? ""} ${JSON.stringify(tensor["shape"] ?? [])}` : shown(each["type"]) ?? "";
        return [{ name: shown(each["name"]) ?? "–", type, isOptional: each["required"] === false }];
    };
    const plain = all["mlflow_colspec"];
    if (Array.isArray(plain)) return plain.flatMap(column);
    const tensors = all["mlflow_tensorspec"] ?? all;
    if (!isRecord(tensors)) return [];
    return ["features", "targets"].flatMap((part) => {
        const list = parsedOrSelf(tensors[part]);
        return (Array.isArray(list) ? list : []).flatMap(column)
            .map((each) => ({ ...each, name: part === "targets" ? `${each.name} (target)` : each.name }));
    });
}

function parsedOrSelf(value: unknown): unknown {
    return typeof value === "string" ? parsed(value) : value;
}

function shown(value: unknown): string | undefined {
    if (value === undefined || value === null) return undefined;
    return typeof value === "number" ? count(value) : typeof value === "string" ? value : JSON.stringify(value).slice(0, 300);
}

function words(name: string): string {
    const text = name.replace(/^num_/, "").replace(/_/g, " ");
    return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The place where the data came from, out of what the client wrote about it. */
function sourceOf(source: string | undefined): string {
    const all = parsed(source);
    if (!isRecord(all)) return source ?? "";
    const place = all["uri"] ?? all["url"] ?? all["path"] ?? all["table_name"] ?? all["name"];
    return typeof place === "string" ? place : JSON.stringify(all.tags ?? all);
}
