import type { Schemas } from "../api/generated";

export type FeedEvent = Schemas["ListEventsItem"];
type Listener = (event: FeedEvent) => void;

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
            const event = JSON.parse(message.data) as FeedEvent;
            for (const listener of this.listeners) listener(event);
        };
    }

    private setConnected(connected: boolean): void {
        if (this.connected === connected) return;
        this.connected = connected;
        for (const listener of this.states) listener();
    }
}

export const feed = new Feed();
