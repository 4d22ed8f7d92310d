import { useState } from "react";
import { createWebhook, deleteWebhook, listWebhooks, setWebhookStatus, testWebhook, type Webhook, type WebhookEvent } from "../../api/webhooks";
import { Card } from "../../components/Card";
import { StatusBadge } from "../../components/Status";
import { ConfirmDialog, Field } from "../../components/Form";
import { ResponsiveTable } from "../../components/ResponsiveTable";
import { Empty, ErrorBox, Loaded } from "../../components/State";
import { toast } from "../../components/Toast";
import { useMutation, useQuery } from "../../core/query";

const events: [string, WebhookEvent][] = [
    ["A model is registered", { entity: "REGISTERED_MODEL", action: "CREATED" }],
    ["A version is registered", { entity: "MODEL_VERSION", action: "CREATED" }],
    ["An alias is set", { entity: "MODEL_VERSION_ALIAS", action: "CREATED" }],
    ["An alias is removed", { entity: "MODEL_VERSION_ALIAS", action: "DELETED" }],
    ["A version's tag is set", { entity: "MODEL_VERSION_TAG", action: "SET" }],
    ["A version's tag is removed", { entity: "MODEL_VERSION_TAG", action: "DELETED" }],
];

/** Addresses that are told when something changes. */
export function Webhooks() {
    const query = useQuery("webhooks", listWebhooks, { invalidateOn: ["webhook"] });
    const [making, setMaking] = useState(false);
    const [deleting, setDeleting] = useState<Webhook | null>(null);
    const test = useMutation(async (hook: Webhook) => {
        const result = await testWebhook(hook.webhook_id);
        toast(result.success
            ? `${hook.name.slice(0, 60)} answered ${result.response_status ?? ""}.`
            : `${hook.name.slice(0, 60)} failed: ${(result.error_message ?? `status ${result.response_status ?? "unknown"}`).slice(0, 200)}`);
    });
    const change = useMutation(async (hook: Webhook) => {
        await setWebhookStatus(hook.webhook_id, hook.status === "DISABLED" ? "ACTIVE" : "DISABLED");
        await query.reload();
    });
    return (
        <Card title="Webhooks" flush side={<button type="button" className="button small" onClick={() => setMaking(true)}>New webhook</button>}>
            {(test.error ?? change.error) !== null && <div style={{ padding: 14 }}><ErrorBox error={test.error ?? change.error} /></div>}
            <Loaded query={query} lines={2}>
                {(all) => (all.length === 0
                    ? <Empty title="No webhooks">They tell another program when a model changes: a chat, a pipeline, a ticket.</Empty>
                    : (
                        <ResponsiveTable label="Webhooks" rows={all} rowID={(hook) => hook.webhook_id} columns={[
                            { title: "Name", cell: (hook) => <bdi>{hook.name.slice(0, 120)}</bdi> },
                            { title: "Address", className: "mono small", cell: (hook) => <bdi>{hook.url.slice(0, 200)}</bdi> },
                            { title: "Told of", className: "small soft", cell: (hook) => (hook.events ?? []).map(eventText).join(", ") },
                            { title: "State", cell: (hook) => <StatusBadge state={hook.status === "DISABLED" ? "disabled" : "active"} tone={hook.status === "DISABLED" ? "idle" : "ok"} /> },
                            {
                                title: "Actions", hideTitle: true, right: true, className: "nowrap",
                                cell: (hook) => (
                                    <>
                                        <button type="button" className="button small quiet" disabled={test.busy} onClick={() => void test.run(hook)}>Test</button>
                                        <button type="button" className="button small quiet" disabled={change.busy} onClick={() => void change.run(hook)}>{hook.status === "DISABLED" ? "Enable" : "Disable"}</button>
                                        <button type="button" className="button small danger" onClick={() => setDeleting(hook)}>Delete</button>
                                    </>
                                ),
                            },
                        ]} />
                    ))}
            </Loaded>
            {making && <NewWebhook onClose={() => setMaking(false)} onDone={query.reload} />}
            {deleting !== null && (
                <ConfirmDialog title={`Delete ${deleting.name.slice(0, 80)}?`} confirm="Delete" danger onClose={() => setDeleting(null)}
                    onConfirm={async () => {
                        await deleteWebhook(deleting.webhook_id);
                        await query.reload();
                    }}>
                    <p className="soft">Its address is told nothing any more. This cannot be undone.</p>
                </ConfirmDialog>
            )}
        </Card>
    );
}

function eventText(event: WebhookEvent): string {
    const known = events.find(([, { entity, action }]) => entity === event.entity.toUpperCase() && action === event.action.toUpperCase());
    return (known?.[0] ?? `${event.entity} ${event.action}`).toLowerCase().replace(/_/g, " ");
}

function NewWebhook({ onClose, onDone }: { onClose: () => void; onDone: () => Promise<void> }) {
    const [name, setName] = useState("");
    const [url, setURL] = useState("");
    const [secret, setSecret] = useState("");
    const [chosen, setChosen] = useState<Set<number>>(new Set([1]));
    const toggle = (index: number) => {
        const next = new Set(chosen);
        if (!next.delete(index)) next.add(index);
        setChosen(next);
    };
    const save = async () => {
        const wanted = events.filter((_, index) => chosen.has(index)).map(([, event]) => event);
        if (wanted.length === 0) throw new Error("Choose at least one thing to be told of.");
        await createWebhook({ name, url, events: wanted, ...(secret === "" ? {} : { secret }) });
        await onDone();
        toast(`${name} is told from now on.`);
    };
    return (
        <ConfirmDialog title="New webhook" confirm="Make webhook" onConfirm={save} onClose={onClose}>
            <Field label="Name" hint="Letters, digits and . _ -">{(id) => <input id={id} className="input" required value={name} onChange={(event) => setName(event.target.value)} />}</Field>
            <Field label="Address" hint="https, on a public host; a server started with --webhooks-anywhere takes others">{(id) => <input id={id} className="input" type="url" required value={url} onChange={(event) => setURL(event.target.value)} />}</Field>
            <Field label="Secret" hint="Signs each message, so that the receiver can tell where it came from">
                {(id) => <input id={id} className="input mono" type="password" autoComplete="off" value={secret} onChange={(event) => setSecret(event.target.value)} />}
            </Field>
            <fieldset className="choices">
                <legend className="field-label">Told when</legend>
                {events.map(([text], index) => (
                    <label key={text} className="check"><input type="checkbox" checked={chosen.has(index)} onChange={() => toggle(index)} />{text}</label>
                ))}
            </fieldset>
        </ConfirmDialog>
    );
}
