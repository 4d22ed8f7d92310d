import { useSyncExternalStore } from "react";

const query = window.matchMedia("(max-width: 640px)");

/** Whether the window is as narrow as a phone; the same bound as in the styles. */
export function useIsMobile(): boolean {
    return useSyncExternalStore((listener) => {
        query.addEventListener("change", listener);
        return () => query.removeEventListener("change", listener);
    }, () => query.matches);
}
