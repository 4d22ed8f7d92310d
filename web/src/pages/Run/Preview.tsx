import { useEffect, useMemo, useState } from "react";
import { withBase } from "../../api/base";
import { framedAddress, readArtifact } from "../../api/mlflow";
import { CopyButton } from "../../components/Copy";
import { Empty, ErrorBox, Skeleton } from "../../components/State";
import { bytes } from "../../core/format";
import { useQuery } from "../../core/query";

/** What is read of a text at most; of images and pages more. */
const TEXT_LIMIT = 512 * 1024;
const MEDIA_LIMIT = 20 * 1024 * 1024;
const TABLE_ROWS = 500;

type Kind = "image" | "html" | "table" | "json" | "text" | "unknown";

const endings: Record<string, Kind> = {
    png: "image", jpg: "image", jpeg: "image", gif: "image", webp: "image", svg: "image", bmp: "image",
    html: "html", htm: "html", csv: "table", tsv: "table", json: "json", ipynb: "json", geojson: "json",
};
const texts = /^(txt|log|md|yaml|yml|toml|ini|cfg|conf|py|r|sh|js|ts|sql|xml|rst|mlmodel|lock|env|jsonl|swift|c|h|cpp|java|go|rs)$/;
const mediaTypes: Record<string, string> = {
    png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp",
    svg: "image/svg+xml", bmp: "image/bmp",
};

function kindOf(path: string): { kind: Kind; ending: string } {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const ending = name.includes(".") ? name.slice(name.lastIndexOf(".") + 1).toLowerCase() : name.toLowerCase();
    const known = endings[ending];
    if (known !== undefined) return { kind: known, ending };
    return { kind: texts.test(ending) || !name.includes(".") ? "text" : "unknown", ending };
}

export function Preview({ runID, path, address }: { runID: string; path: string; address: string }) {
    const { kind, ending } = kindOf(path);
    const isMedia = kind === "image" || kind === "html";
    const query = useQuery(kind === "unknown" ? null : `artifact/${runID}/${path}`, async () => {
        const { blob, isCut } = await readArtifact(runID, path, isMedia ? MEDIA_LIMIT : TEXT_LIMIT);
        return { blob, isCut, text: kind === "image" ? "" : await blob.text() };
    }, { staleTime: 60_000 });
    return (
        <>
            <div className="row between">
                <strong className="cut"><bdi>{path}</bdi></strong>
                <span className="row">
                    <CopyButton text={path} label="Copy path" />
                    <a className="button small" href={withBase(address)} download>Download</a>
                </span>
            </div>
            {query.error !== null && <ErrorBox error={query.error} />}
            {kind === "unknown" && <Empty title="No preview for this kind of file">Download it to look inside.</Empty>}
            {kind !== "unknown" && query.data === undefined && query.error === null && <Skeleton />}
            {query.data !== undefined && (
                <div className="preview-body" tabIndex={0} role="region" aria-label="Preview">
                    {query.data.isCut && <p className="offline">Only the first {bytes(query.data.blob.size)} are shown.</p>}
                    {kind === "image" && <Picture blob={query.data.blob} type={mediaTypes[ending] ?? ""} name={path} />}
                    {kind === "html" && <LoggedPage html={query.data.text} runID={runID} path={path} />}
                    {kind === "table" && <TextTable text={query.data.text} separator={ending === "tsv" ? "\t" : ","} />}
                    {kind === "json" && <pre className="code">{pretty(query.data.text)}</pre>}
                    {kind === "text" && <pre className="code">{query.data.text}</pre>}
                </div>
            )}
        </>
    );
}

function Picture({ blob, type, name }: { blob: Blob; type: string; name: string }) {
    const [address, setSearchParams] = useState<string>();
    useEffect(() => {
        const made = URL.createObjectURL(new Blob([blob], { type }));
        setSearchParams(made);
        return () => URL.revokeObjectURL(made);
    }, [blob, type]);
    return address === undefined ? null : <img src={address} alt={`Artifact ${name.slice(0, 200)}`} />;
}

/**
 * A page that somebody logged: without scripts, forms or an origin of its own, so that whatever is
 * in it can neither act in the reader's name nor fetch from elsewhere. Once the reader asks for them its
 * scripts run as well, in an origin that is nobody's and under a policy of the server's that lets them
 * reach no network.
 */
function LoggedPage({ html, runID, path }: { html: string; runID: string; path: string }) {
    const [runs, setRuns] = useState(false);
    const title = `Artifact ${path.slice(0, 200)}`;
    const hasScripts = /<script/i.test(html);
    return (
        <>
            {hasScripts && (
                <div className="row between page-scripts">
                    <span className="muted small">
                        {runs ? "Its scripts run in a frame of their own, without network: what they load from elsewhere is missing."
                            : "This page has scripts, such as those of an interactive figure. They do not run until you say so."}
                    </span>
                    <button type="button" className="button small" onClick={() => setRuns(!runs)}>{runs ? "Stop its scripts" : "Run its scripts"}</button>
                </div>
            )}
            {runs
                ? <iframe key="runs" sandbox="allow-scripts" src={withBase(framedAddress(runID, path))} title={title} referrerPolicy="no-referrer" />
                : <iframe key="still" sandbox="" srcDoc={html} title={title} referrerPolicy="no-referrer" />}
        </>
    );
}

function pretty(text: string): string {
    try {
        return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
        return text;
    }
}

/** Comma separated values with quotes as in RFC 4180. */
export function parseTable(text: string, separator: string, limit: number): string[][] {
    const rows: string[][] = [];
    let row: string[] = [];
    let cell = "";
    let quoted = false;
    for (let at = 0; at < text.length && rows.length < limit; at += 1) {
        const letter = text[at]!;
        if (quoted) {
            if (letter !== "\"") cell += letter;
            else if (text[at + 1] === "\"") {
                cell += "\"";
                at += 1;
            } else quoted = false;
        } else if (letter === "\"" && cell === "") quoted = true;
        else if (letter === separator) {
            row.push(cell);
            cell = "";
        } else if (letter === "\n") {
            row.push(cell.replace(/\r$/, ""));
            rows.push(row);
            row = [];
            cell = "";
        } else cell += letter;
    }
    if ((cell !== "" || row.length > 0) && rows.length < limit) rows.push([...row, cell]);
    return rows;
}

function TextTable({ text, separator }: { text: string; separator: string }) {
    const rows = useMemo(() => parseTable(text, separator, TABLE_ROWS + 1), [text, separator]);
    const [head = [], ...body] = rows;
    return (
        <>
            <table className="plain compact">
                <thead><tr>{head.map((cell, index) => <th key={index} scope="col">{cell.slice(0, 200)}</th>)}</tr></thead>
                <tbody>
                    {body.map((row, index) => (
                        <tr key={index}>{row.map((cell, at) => <td key={at}>{cell.slice(0, 500)}</td>)}</tr>
                    ))}
                </tbody>
            </table>
            {body.length >= TABLE_ROWS && <p className="muted small">The first {TABLE_ROWS} rows.</p>}
        </>
    );
}
