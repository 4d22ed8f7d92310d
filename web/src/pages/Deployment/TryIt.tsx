import { useEffect, useState, type FormEvent } from "react";
import { call, send } from "../../api/client";
import type { Schemas } from "../../api/generated";
import { Card } from "../../components/Card";
import { CodeBlock } from "../../components/Copy";
import { Field } from "../../components/Form";
import { Empty, ErrorBox, Loaded } from "../../components/State";
import { microseconds } from "../../core/format";
import { useMutation, useQuery } from "../../core/query";
import { faultsOf, signatureOf, type Tensor } from "./signature";

type Revision = Schemas["RevisionItem"];

/** Asks the deployment a question: fields from the model's signature, or the request as it is sent. */
export function TryIt({ endpoint, revision }: { endpoint: string; revision: Revision | undefined }) {
    const model = revision?.model ?? "";
    const version = String(revision?.version ?? "");
    const servable = useQuery(revision ? `servable/${model}/${version}` : null, () =>
        call("ShowServable", { path: { name: model, version } }));
    if (!revision) return <Card><Empty title="Nothing is live to be asked" /></Card>;
    return (
        <Loaded query={servable}>
            {({ manifest }) => (manifest
                ? <Form key={`${model}/${version}`} endpoint={endpoint} manifest={manifest as Manifest} />
                : <Card><Empty title="This version has no signature yet">It is still being converted.</Empty></Card>)}
        </Loaded>
    );
}

export interface Manifest {
    inputs: Tensor[];
    columns?: string[];
    example?: unknown;
}

interface Answer {
    text: string;
    tookMicroseconds: number;
}

/** More fields than this are written as JSON rather than one by one. */
const MOST_FIELDS = 60;

function Form({ endpoint, manifest }: { endpoint: string; manifest: Manifest }) {
    const signature = signatureOf(manifest);
    const [values, setValues] = useState(signature.values);
    const [text, setText] = useState(signature.body(signature.values));
    const canBeFields = signature.fields.length > 0 && signature.fields.length <= MOST_FIELDS;
    const [asJSON, setAsJSON] = useState(!canBeFields);
    const [answer, setAnswer] = useState<Answer | null>(null);
    const faults = asJSON ? [] : faultsOf(signature, values);
    const wrong = faults.filter((fault) => fault !== undefined).length;
    useEffect(() => {
        if (!asJSON && wrong === 0) setText(signature.body(values));
    }, [values, asJSON, wrong]);
    const ask = useMutation(async () => {
        setAnswer(null);
        requireJSON(text);
        const start = performance.now();
        const response = await send(`/api/v1/predictions/${encodeURIComponent(endpoint)}`, {
            method: "POST", headers: { "Content-Type": "application/json" }, body: text,
        });
        const reply = await response.text();
        setAnswer({ text: indented(reply), tookMicroseconds: (performance.now() - start) * 1000 });
    });
    const submit = (event: FormEvent) => {
        event.preventDefault();
        if (wrong > 0) {
            setAnswer(null);
            document.querySelector<HTMLInputElement>("[data-try-it] [aria-invalid=true]")?.focus();
            return;
        }
        void ask.run();
    };
    return (
        <div className="stack">
            <div className="grid-2">
                <Card title="Request" side={canBeFields && (
                    <label className="check"><input type="checkbox" checked={asJSON} onChange={(event) => setAsJSON(event.target.checked)} />As JSON</label>
                )}>
                    <form data-try-it="" className="stack" onSubmit={submit} noValidate>
                        {asJSON
                            ? <Field label="Body">{(id) => <textarea id={id} className="textarea" rows={16} spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} />}</Field>
                            : (
                                <div className="grid-2" style={{ gap: 12 }}>
                                    {signature.fields.map(({ name, datatype }, index) => (
                                        <Field key={name} label={name.slice(0, 60)}
                                            hint={faults[index] === undefined ? undefined : <span className="fault">{faults[index]}</span>}>
                                            {(id) => (
                                                <input id={id} className="input" value={values[index] ?? ""} title={datatype}
                                                    aria-invalid={faults[index] !== undefined}
                                                    onChange={(event) => setValues(values.map((value, at) => (at === index ? event.target.value : value)))} />
                                            )}
                                        </Field>
                                    ))}
                                </div>
                            )}
                        {wrong > 0 && <p className="fault" role="alert">{wrong === 1 ? "One field is not what the model takes." : `${wrong} fields are not what the model takes.`}</p>}
                        <ErrorBox error={ask.error} />
                        <div><button type="submit" className="button primary" disabled={ask.busy}>{ask.busy ? "Asking…" : "Ask"}</button></div>
                    </form>
                </Card>
                <Card title="Answer" side={answer && <span className="small numbers">{microseconds(answer.tookMicroseconds)} with the way through the server</span>}>
                    {answer === null ? <Empty title="No answer yet">Send the request to see what the model says.</Empty> : <CodeBlock text={answer.text} />}
                </Card>
            </div>
            {wrong === 0 && <Snippets endpoint={endpoint} body={text} />}
        </div>
    );
}

/** Says where the text stops being JSON. */
function requireJSON(text: string): void {
    try {
        JSON.parse(text);
    } catch (error) {
        throw new Error(`The body is no JSON: ${(error as Error).message}`);
    }
}

/** Whole numbers beyond 2^53 would be others once they were read: then the answer stands as it came. */
function indented(text: string): string {
    if (/(?<![.\d])\d{16,}(?![.\deE])/.test(text)) return text;
    try {
        return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
        return text;
    }
}

/** Where programs on this page's machine reach the gateway beside the server; `undefined` where there is none. */
function gatewayAddress(own: string | undefined): string | undefined {
    if (own === undefined) return undefined;
    const url = new URL(own);
    const isAnywhere = url.hostname === "0.0.0.0" || url.hostname === "[::]";
    // It listens on every address: the one that this page came by is one of them.
    if (isAnywhere) url.hostname = window.location.hostname;
    return url.origin;
}

function Snippets({ endpoint, body }: { endpoint: string; body: string }) {
    const gateways = useQuery("gateways", () => call("ListGateways", {}));
    if (gateways.data === undefined && gateways.error === null) return null;
    const address = gatewayAddress(gateways.data?.own ?? undefined);
    const compact = onOneLine(body);
    const url = `$ALOFT_GATEWAY/v2/models/${endpoint}/infer`;
    return (
        <Card title="From your own program" side={<span className="small">{address === undefined ? "name the gateway that serves the deployment" : "the gateway beside this server"}</span>}>
            <div className="stack">
                <CodeBlock text={`export ALOFT_GATEWAY=${address ?? "ADDRESS_OF_YOUR_GATEWAY"}\ncurl "${url}" -H 'Content-Type: application/json' -d '${compact.replace(/'/g, "'\\''")}'`} />
                <CodeBlock text={`import os, requests\n\nanswer = requests.post(\n    f"{os.environ['ALOFT_GATEWAY']}/v2/models/${endpoint}/infer",\n    json=${python(compact)},\n)\nanswer.raise_for_status()\nprint(answer.json()["outputs"])`} />
            </div>
        </Card>
    );
}

/** JSON without the blanks between its parts; what is no JSON stays as it was typed. */
function onOneLine(json: string): string {
    return json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, text: string | undefined) => text ?? "");
}

/** JSON as Python writes it; what stands in a text stays. */
function python(json: string): string {
    const words: Record<string, string> = { true: "True", false: "False", null: "None" };
    return json.replace(/"(?:[^"\\]|\\.)*"|\b(true|false|null)\b/g, (all, word: string | undefined) => (word === undefined ? all : words[word] ?? all));
}
