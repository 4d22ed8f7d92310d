import { useSyncExternalStore } from "react";
import { duration, fullTime, relativeTime } from "../core/format";

/** One clock for every relative time of the window. */
const clock = {
    now: Date.now(),
    listeners: new Set<() => void>(),
    subscribe(listener: () => void): () => void {
        clock.listeners.add(listener);
        return () => clock.listeners.delete(listener);
    },
};
window.setInterval(() => {
    if (document.visibilityState !== "visible") return;
    clock.now = Date.now();
    for (const listener of clock.listeners) listener();
}, 1000);

export function useNow(): number {
    return useSyncExternalStore(clock.subscribe, () => clock.now);
}

/** Milliseconds since the epoch, or a stamp of the server. */
export function milliseconds(at: number | string): number {
    return typeof at === "number" ? at : Date.parse(at);
}

/** "3 min ago", and the full time on hovering. */
export function RelativeTime({ at }: { at: number | string | undefined | null }) {
    const now = useNow();
    if (at === undefined || at === null || at === 0 || at === "") {
        return <span className="muted">–</span>;
    }
    const time = milliseconds(at);
    return (
        <time dateTime={new Date(time).toISOString()} title={fullTime(time)} className="nowrap">
            {relativeTime(time, Math.max(now, time - 1))}
        </time>
    );
}

/** How long something took; counts on while it has no end. */
export function Elapsed({ from, to }: { from: number | string | undefined | null; to: number | string | undefined | null }) {
    const now = useNow();
    if (!from) return <span className="muted">–</span>;
    const end = to ? milliseconds(to) : now;
    return <span className="nowrap numbers">{duration(end - milliseconds(from))}</span>;
}
