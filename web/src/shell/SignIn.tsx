import { useState, type FormEvent } from "react";
import { sendJSON } from "../api/client";
import { Field } from "../components/Form";
import { ErrorBox } from "../components/State";
import { useMutation } from "../core/query";

/** Shown when the server asks for a token. It is kept in a cookie that scripts cannot read. */
export function SignIn() {
    const [token, setToken] = useState("");
    const signIn = useMutation(() => sendJSON("POST", "/api/v1/session", { token }));
    const submit = async (event: FormEvent) => {
        event.preventDefault();
        if (await signIn.run()) window.location.reload();
    };
    return (
        <main className="sign-in">
            <form className="card" onSubmit={(event) => void submit(event)}>
                <div className="dialog-body">
                    <h1>Sign in to Aloft</h1>
                    <p className="muted">
                        This server asks for a token. Whoever runs it makes one with{" "}
                        <code>aloft token create NAME</code>.
                    </p>
                    <Field label="Token">
                        {(id) => <input id={id} className="input mono" type="password" autoFocus
                            autoComplete="current-password" value={token}
                            onChange={(event) => setToken(event.target.value.trim())} />}
                    </Field>
                    <ErrorBox error={signIn.error} />
                    <div>
                        <button type="submit" className="button primary" disabled={token === "" || signIn.busy}>
                            Sign in
                        </button>
                    </div>
                </div>
            </form>
        </main>
    );
}
