import { useEffect } from "react";
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
