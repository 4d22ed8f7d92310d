import type { Schemas } from "../api/generated";

/** Something changed: an event of the server's log, or a run that logged something. */
export interface Change {
    entity: string;
    /** Missing where any of the kind may have changed. */
    id?: string;
}

type Listener = (change: Change) => void;

/** The live feed: one connection for the whole window, opened when the first page listens. */
class Feed {
    private listeners = new Set<Listener>();
    private states = new Set<() => void>();
    private source: EventSource | null = null;
    connected = true;

    listen(listener: Listener): () => void {
        this.listeners.add(listener);
        this.open();
        return () => this.listeners.delete(listener);
    }

    /** Told when the connection breaks or is there again. */
    watchState(listener: () => void): () => void {
        this.states.add(listener);
        return () => this.states.delete(listener);
    }

    private open(): void {
        if (this.source !== null) return;
        const source = new EventSource("/api/v1/events/stream");
        this.source = source;
        source.onopen = () => this.setConnected(true);
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
        source.addEventListener("runs", (message: MessageEvent<string>) => {
            const { ids } = JSON.parse(message.data) as { ids?: string[] };
            if (ids === undefined) this.tell({ entity: "run" });
            else for (const id of ids) this.tell({ entity: "run", id });
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
