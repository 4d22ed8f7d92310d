import { useEffect, useState, type FormEvent } from "react";
import { call, sendJSON } from "../../api/client";
import type { Schemas } from "../../api/generated";
import { Card, Code } from "../../components/Basics";
import { Field } from "../../components/Form";
import { Empty, ErrorBox, Loaded } from "../../components/State";
import { microseconds } from "../../core/format";
import { useAction, useQuery } from "../../core/query";
import { signatureOf, type Tensor } from "./signature";

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
    const [text, setText] = useState(JSON.stringify(signature.body(signature.values), null, 2));
    const [asJSON, setAsJSON] = useState(signature.names.length === 0 || signature.names.length > MOST_FIELDS);
    const [answer, setAnswer] = useState<Answer | null>(null);
    useEffect(() => {
        if (!asJSON) setText(JSON.stringify(signature.body(values), null, 2));
    }, [values, asJSON]);
    const ask = useAction(async () => {
        setAnswer(null);
        const body: unknown = JSON.parse(text);
        const start = performance.now();
        const reply = await sendJSON<unknown>("POST", `/api/v1/predictions/${encodeURIComponent(endpoint)}`, body);
        setAnswer({ text: JSON.stringify(reply, null, 2), tookMicroseconds: (performance.now() - start) * 1000 });
    });
    const submit = (event: FormEvent) => {
        event.preventDefault();
        void ask.run();
    };
    return (
        <div className="stack">
            <div className="grid-2">
                <Card title="Request" side={signature.names.length > 0 && signature.names.length <= MOST_FIELDS && (
                    <label className="check"><input type="checkbox" checked={asJSON} onChange={(event) => setAsJSON(event.target.checked)} />As JSON</label>
                )}>
                    <form className="stack" onSubmit={submit}>
                        {asJSON
                            ? <Field label="Body">{(id) => <textarea id={id} className="textarea" rows={16} spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} />}</Field>
                            : (
                                <div className="grid-2" style={{ gap: 12 }}>
                                    {signature.names.map((name, index) => (
                                        <Field key={name} label={name.slice(0, 60)}>
                                            {(id) => (
                                                <input id={id} className="input" value={values[index] ?? ""}
                                                    onChange={(event) => setValues(values.map((value, at) => (at === index ? event.target.value : value)))} />
                                            )}
                                        </Field>
                                    ))}
                                </div>
                            )}
                        <ErrorBox error={ask.error} />
                        <div><button type="submit" className="button primary" disabled={ask.busy}>{ask.busy ? "Asking…" : "Ask"}</button></div>
                    </form>
                </Card>
                <Card title="Answer" side={answer && <span className="small numbers">{microseconds(answer.tookMicroseconds)} with the way through the server</span>}>
                    {answer === null ? <Empty title="No answer yet">Send the request to see what the model says.</Empty> : <Code text={answer.text} />}
                </Card>
            </div>
            <Snippets endpoint={endpoint} body={text} />
        </div>
    );
}

function Snippets({ endpoint, body }: { endpoint: string; body: string }) {
    let compact = body;
    try {
        compact = JSON.stringify(JSON.parse(body));
    } catch {
        // Shown as it was typed.
    }
    const url = `$ALOFT_GATEWAY/v2/models/${endpoint}/infer`;
    return (
        <Card title="From your own program" side={<span className="small">the gateway answers at 127.0.0.1:5001 where nothing else was said</span>}>
            <div className="stack">
                <Code text={`export ALOFT_GATEWAY=http://127.0.0.1:5001\ncurl "${url}" -H 'Content-Type: application/json' -d '${compact.replace(/'/g, "'\\''")}'`} />
                <Code text={`import os, requests\n\nanswer = requests.post(\n    f"{os.environ['ALOFT_GATEWAY']}/v2/models/${endpoint}/infer",\n    json=${python(compact)},\n)\nanswer.raise_for_status()\nprint(answer.json()["outputs"])`} />
            </div>
        </Card>
    );
}

/** JSON as Python writes it. */
function python(json: string): string {
    return json.replace(/\btrue\b/g, "True").replace(/\bfalse\b/g, "False").replace(/\bnull\b/g, "None");
}
