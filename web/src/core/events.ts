import { withBase } from "../api/base";
import type { Schemas } from "../api/generated";

/** Something changed: an event of the server's log, or what has none, such as what a run logged. */
export interface Change {
    /** Missing where anything may have changed. */
    entity?: string;
    /** Missing where any of the kind may have changed. */
    id?: string;
}

type Listener = (change: Change) => void;

/** A hidden window closes its connection after so many milliseconds. */
const PATIENCE = 5000;

/**
 * The live feed: one connection for the whole window, opened when the first page listens.
 *
 * A browser has six connections to a server for all of its windows together, so a window that nobody
 * sees keeps none; when it is seen again, everything may have changed.
 */
class Feed {
    private listeners = new Set<Listener>();
    private states = new Set<() => void>();
    private source: EventSource | null = null;
    private parking: number | undefined;
    private wasParked = false;
    connected = true;

    constructor() {
        document.addEventListener("visibilitychange", () => {
            window.clearTimeout(this.parking);
            if (document.visibilityState === "visible") this.open();
            else this.parking = window.setTimeout(() => this.park(), PATIENCE);
        });
    }

    subscribe(listener: Listener): () => void {
        this.listeners.add(listener);
        this.open();
        return () => this.listeners.delete(listener);
    }

    /** Told when the connection breaks or is there again. */
    onConnectionChange(listener: () => void): () => void {
        this.states.add(listener);
        return () => this.states.delete(listener);
    }

    private park(): void {
        this.source?.close();
        this.source = null;
        this.wasParked = true;
    }

    private open(): void {
        if (this.source !== null || this.listeners.size === 0 || document.visibilityState !== "visible") return;
        const source = new EventSource(withBase("/api/v1/events/stream"));
        this.source = source;
        source.onopen = () => {
            this.setConnected(true);
            if (this.wasParked) this.tell({});
            this.wasParked = false;
        };
        source.onerror = () => {
            this.setConnected(false);
            // The browser tries again by itself unless the server refused.
            if (source.readyState !== EventSource.CLOSED) return;
            this.source = null;
            window.setTimeout(() => this.open(), 5000);
        };
        source.onmessage = (message: MessageEvent<string>) => {
            const { entity, entityID } = JSON.parse(message.data) as Schemas["ListEventsItem"];
            this.tell({ entity, id: entityID });
        };
        source.addEventListener("changed", (message: MessageEvent<string>) => {
            const { ids, ...change } = JSON.parse(message.data) as { entity?: string; ids?: string[] };
            if (ids === undefined) this.tell(change);
            else for (const id of ids) this.tell({ ...change, id });
        });
    }

    private tell(change: Change): void {
        for (const listener of this.listeners) listener(change);
    }

    private setConnected(connected: boolean): void {
        if (this.connected === connected) return;
        this.connected = connected;
        for (const listener of this.states) listener();
    }
}

export const feed = new Feed();
