import { useEffect, useId, useRef, useState, type FormEvent, type ReactNode } from "react";
import { ErrorBox } from "./State";

export function Field({ label, hint, children }: {
    label: string; hint?: ReactNode; children: (id: string) => ReactNode;
}) {
    const id = useId();
    return (
        <div className="field">
            <label htmlFor={id}>{label}</label>
            {children(id)}
            {hint !== undefined && <div className="field-hint">{hint}</div>}
        </div>
    );
}

/** Asks before something that others will notice; shows what went wrong if it fails. */
export function ConfirmDialog({ title, children, confirm, danger = false, onConfirm, onClose, wide = false }: {
    title: string; children?: ReactNode; confirm: string; danger?: boolean; wide?: boolean;
    onConfirm: () => Promise<unknown>; onClose: () => void;
}) {
    const dialog = useRef<HTMLDialogElement>(null);
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<Error | null>(null);
    const heading = useId();
    useEffect(() => {
        const element = dialog.current;
        if (element !== null && !element.open) element.showModal();
    }, []);
    const submit = async (event: FormEvent) => {
        event.preventDefault();
        setBusy(true);
        setError(null);
        try {
            await onConfirm();
            onClose();
        } catch (failure) {
            setError(failure as Error);
            setBusy(false);
        }
    };
    return (
        <dialog ref={dialog} className={`dialog ${wide ? "wide" : ""}`} aria-labelledby={heading} onClose={onClose}>
            <form onSubmit={(event) => void submit(event)}>
                <div className="dialog-body">
                    <h2 id={heading}>{title}</h2>
                    {children}
                    <ErrorBox error={error} />
                </div>
                <div className="dialog-foot">
                    <button type="button" className="button" onClick={onClose}>Cancel</button>
                    <button type="submit" className={`button primary ${danger ? "danger" : ""}`} disabled={busy}>
                        {busy ? "Working…" : confirm}
                    </button>
                </div>
            </form>
        </dialog>
    );
}

/** A text field that tells its value a moment after the last key. */
export function SearchInput({ value, onChange, label, placeholder, autoFocusKey = true }: {
    value: string; onChange: (value: string) => void; label: string; placeholder?: string;
    autoFocusKey?: boolean;
}) {
    const [text, setText] = useState(value);
    const timer = useRef<number>();
    useEffect(() => setText(value), [value]);
    useEffect(() => () => window.clearTimeout(timer.current), []);
    return (
        <input className="input" type="search" aria-label={label} placeholder={placeholder ?? label}
            value={text} style={{ maxWidth: 420 }} data-search={autoFocusKey ? "" : undefined}
            onChange={(event) => {
                const next = event.target.value;
                setText(next);
                window.clearTimeout(timer.current);
                timer.current = window.setTimeout(() => onChange(next), 180);
            }} />
    );
}
