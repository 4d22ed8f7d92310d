import { useEffect, useRef } from "react";
import { navigation } from "./pages";

export function ShortcutHelp({ onClose }: { onClose: () => void }) {
    const dialog = useRef<HTMLDialogElement>(null);
    useEffect(() => {
        if (dialog.current?.open === false) dialog.current.showModal();
    }, []);
    const keys: [string[], string][] = [
        [["/"], "Find or filter on this page"],
        [["Ctrl", "K"], "Go to anything by its name or id"],
        [["?"], "Show these shortcuts"],
        ...navigation.flatMap(({ items }) => items).map(({ key, label }): [string[], string] => [["g", key], `Go to ${label}`]),
        [["↑", "↓"], "Move in a table"],
        [["Enter"], "Open the row"],
        [["Space"], "Select the row"],
        [["Esc"], "Leave a field or close a window"],
    ];
    return (
        <dialog ref={dialog} className="dialog" aria-labelledby="keys-title" onClose={onClose}>
            <div className="dialog-body">
                <h2 id="keys-title">Keyboard shortcuts</h2>
                <dl className="keys">
                    {keys.map(([names, what]) => (
                        <div key={what} style={{ display: "contents" }}>
                            <dt>{names.map((name) => <span key={name}><kbd>{name}</kbd>{" "}</span>)}</dt>
                            <dd className="soft">{what}</dd>
                        </div>
                    ))}
                </dl>
            </div>
            <div className="dialog-foot">
                <button type="button" className="button" onClick={onClose}>Close</button>
            </div>
        </dialog>
    );
}
