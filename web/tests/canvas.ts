/** A canvas that remembers what was drawn: every number that it was given, and every text. */
export class Recorded {
    numbers: number[] = [];
    texts: string[] = [];
    calls = new Map<string, number>();
    readonly context: CanvasRenderingContext2D;

    constructor() {
        const note = (name: string, values: unknown[]) => {
            this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
            for (const value of values) {
                if (typeof value === "number") this.numbers.push(value);
                else if (typeof value === "string") this.texts.push(value);
            }
        };
        const state: Record<string, unknown> = { canvas: { width: 600, height: 300 } };
        this.context = new Proxy(state, {
            get: (_, name: string) => state[name] ?? ((...values: unknown[]) => {
                note(name, values);
                return name === "measureText" ? { width: String(values[0]).length * 6 } : undefined;
            }),
            set: (_, name: string, value: unknown) => {
                state[name] = value;
                return true;
            },
        }) as unknown as CanvasRenderingContext2D;
    }

    count(name: string): number {
        return this.calls.get(name) ?? 0;
    }
}
