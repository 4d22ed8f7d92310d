import { useState, type FormEvent } from "react";
import { serverAddress } from "../../api/base";
import { call } from "../../api/client";
import { Card } from "../../components/Card";
import { CodeBlock } from "../../components/Copy";
import { Page } from "../../components/Page";
import { ConfirmDialog, Field } from "../../components/Form";
import { ResponsiveTable } from "../../components/ResponsiveTable";
import { Empty, ErrorBox, Loaded } from "../../components/State";
import { toast } from "../../components/Toast";
import { RelativeTime } from "../../components/Time";
import { useMutation, useQuery } from "../../core/query";
import { Webhooks } from "./Webhooks";

export function Settings() {
    const tokens = useQuery("tokens", () => call("ListTokens", {}), { invalidateOn: ["token"] });
    const [name, setName] = useState("");
    const [secret, setSecret] = useState<string | null>(null);
    const [revoking, setRevoking] = useState<string | null>(null);
    const create = useMutation(async () => {
        const made = await call("CreateToken", { body: { name } });
        setSecret(made.secret);
        setName("");
        await tokens.reload();
    });
    const submit = (event: FormEvent) => {
        event.preventDefault();
        void create.run();
    };
    return (
        <Page title="Settings">
            <div className="stack">
                <Card title="Tokens" flush side={<span className="small">for people and programs that call this server</span>}>
                    <div style={{ padding: "16px 18px" }} className="stack">
                        <form className="row" onSubmit={submit} style={{ alignItems: "end" }}>
                            <Field label="Name of a new token">
                                {(id) => <input id={id} className="input" style={{ minWidth: 240 }} value={name} placeholder="ada@laptop" required
                                    onChange={(event) => setName(event.target.value)} />}
                            </Field>
                            <button type="submit" className="button primary" disabled={name === "" || create.busy}>Make token</button>
                        </form>
                        <ErrorBox error={create.error} />
                        {secret !== null && (
                            <div>
                                <p style={{ marginBottom: 8 }}>Copy it now: it is shown once and nowhere else.</p>
                                <CodeBlock text={secret} />
                            </div>
                        )}
                    </div>
                    <Loaded query={tokens} lines={2}>
                        {({ tokens: all }) => (all.length === 0
                            ? <Empty title="No tokens">On loopback none is needed. Elsewhere start the server with <code>--auth</code>.</Empty>
                            : (
                                <ResponsiveTable label="Tokens" rows={all} rowID={(token) => token.name} columns={[
                                    { title: "Name", cell: (token) => <bdi>{token.name}</bdi> },
                                    { title: "Made", cell: (token) => <RelativeTime at={token.createdAt} /> },
                                    {
                                        title: "Actions", hideTitle: true, right: true,
                                        cell: (token) => <button type="button" className="button small danger" onClick={() => setRevoking(token.name)}>Revoke</button>,
                                    },
                                ]} />
                            ))}
                    </Loaded>
                </Card>
                <Webhooks />
                <Card title="Clients">
                    <p className="soft" style={{ marginBottom: 10 }}>Any MLflow client works with this address:</p>
                    <CodeBlock text={`export MLFLOW_TRACKING_URI=${serverAddress()}\nexport ALOFT_SERVER=${serverAddress()}`} />
                </Card>
            </div>
            {revoking !== null && (
                <ConfirmDialog title={`Revoke ${revoking}?`} confirm="Revoke" danger onClose={() => setRevoking(null)}
                    onConfirm={async () => {
                        await call("RevokeToken", { path: { name: revoking } });
                        await tokens.reload();
                        toast(`${revoking} is revoked.`);
                    }}>
                    <p className="soft">Whoever uses it is refused from now on. This cannot be undone.</p>
                </ConfirmDialog>
            )}
        </Page>
    );
}
