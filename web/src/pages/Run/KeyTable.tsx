import { useState } from "react";
import { numeric } from "../../api/client";
import type { KeyValue, Metric } from "../../api/mlflow";
import { Empty } from "../../components/State";
import { number } from "../../core/format";
import { Link } from "../../core/router";

/** Rows shown before "Show all": a run may have thousands. */
const FIRST = 50;

/** Names and values, whatever they hold. */
export function KeyTable({ items, label, empty }: { items: KeyValue[]; label: string; empty: string }) {
    const [find, setFind] = useState("");
    const [all, setAll] = useState(false);
    if (items.length === 0) return <Empty title={empty} />;
    const found = items.filter(({ key, value }) => `${key} ${value}`.toLowerCase().includes(find.toLowerCase()));
    const shown = all ? found : found.slice(0, FIRST);
    return (
        <>
            {items.length > 12 && <FindRow label={`Find in ${label.toLowerCase()}`} value={find} onChange={setFind} />}
            <table className="plain compact" aria-label={label}>
                <thead className="visually-hidden"><tr><th scope="col">Name</th><th scope="col">Value</th></tr></thead>
                <tbody>
                    {shown.map(({ key, value }) => (
                        <tr key={key}>
                            <td className="key"><bdi>{key}</bdi></td>
                            <td><bdi className="value-long" tabIndex={value.length > 300 ? 0 : undefined}>{value}</bdi></td>
                        </tr>
                    ))}
                </tbody>
            </table>
            {found.length > shown.length && <ShowAll count={found.length} onClick={() => setAll(true)} />}
        </>
    );
}

export function MetricTable({ metrics, curves }: { metrics: Metric[]; curves: string }) {
    const [find, setFind] = useState("");
    const [all, setAll] = useState(false);
    if (metrics.length === 0) return <Empty title="No metrics were logged." />;
    const found = metrics.filter(({ key }) => key.toLowerCase().includes(find.toLowerCase()));
    const shown = all ? found : found.slice(0, FIRST);
    return (
        <>
            {metrics.length > 12 && <FindRow label="Find in metrics" value={find} onChange={setFind} />}
            <table className="plain compact" aria-label="Metrics">
                <thead>
                    <tr><th scope="col">Name</th><th scope="col" className="right">Last value</th><th scope="col" className="right">Step</th></tr>
                </thead>
                <tbody>
                    {shown.map((metric) => (
                        <tr key={metric.key}>
                            <td className="key"><Link to={`${curves}&find=${encodeURIComponent(metric.key)}`}><bdi>{metric.key}</bdi></Link></td>
                            <td className="right" title={String(metric.value)}>{number(numeric(metric.value))}</td>
                            <td className="right muted">{(metric.step ?? 0).toLocaleString("en-US")}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
            {found.length > shown.length && <ShowAll count={found.length} onClick={() => setAll(true)} />}
        </>
    );
}

function FindRow({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
    return (
        <div style={{ padding: "10px 14px" }}>
            <input className="input" type="search" aria-label={label} placeholder={label} value={value} onChange={(event) => onChange(event.target.value)} />
        </div>
    );
}

function ShowAll({ count, onClick }: { count: number; onClick: () => void }) {
    return (
        <div style={{ padding: 12, textAlign: "center" }}>
            <button type="button" className="button small" onClick={onClick}>Show all {count.toLocaleString("en-US")}</button>
        </div>
    );
}
