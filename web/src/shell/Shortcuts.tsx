import { useEffect, useRef } from "react";
import { navigate } from "../core/router";
import { navigation } from "./pages";

const items = navigation.flatMap((group) => group.items);

/** `/` finds, `g` and a letter goes, Ctrl K goes by name, `?` helps. Keys meant for a field are left alone. */
export function useShortcuts(showHelp: () => void, showPalette: () => void): void {
    useEffect(() => {
        let goAt = 0;
        const onKey = (event: KeyboardEvent) => {
            if ((event.ctrlKey || event.metaKey) && event.key === "k" && document.querySelector("dialog[open]") === null) {
                event.preventDefault();
                return showPalette();
            }
            const target = event.target as HTMLElement;
            const isTyping = target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
            if (event.key === "Escape" && isTyping) return target.blur();
            if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
            if (document.querySelector("dialog[open]") !== null) return;
            if (Date.now() - goAt < 1200) {
                goAt = 0;
                const item = items.find(({ key }) => key === event.key);
                if (item === undefined) return;
                event.preventDefault();
                navigate(item.to);
            } else if (event.key === "g") {
                goAt = Date.now();
            } else if (event.key === "/") {
                const field = document.querySelector<HTMLInputElement>("[data-search]");
                if (field === null) return;
                event.preventDefault();
                field.focus();
                field.select();
            } else if (event.key === "?") {
                event.preventDefault();
                showHelp();
            }
        };
        document.addEventListener("keydown", onKey);
        return () => document.removeEventListener("keydown", onKey);
    }, [showHelp, showPalette]);
}

export function ShortcutHelp({ onClose }: { onClose: () => void }) {
    const dialog = useRef<HTMLDialogElement>(null);
    useEffect(() => {
        if (dialog.current?.open === false) dialog.current.showModal();
    }, []);
    const keys: [string[], string][] = [
        [["/"], "Find or filter on this page"],
        [["Ctrl", "K"], "Go to anything by its name or id"],
        [["?"], "Show these shortcuts"],
        ...items.map(({ key, label }): [string[], string] => [["g", key], `Go to ${label}`]),
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
