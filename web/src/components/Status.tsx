export type Tone = "ok" | "bad" | "warn" | "live" | "idle";

const tones: Record<string, Tone> = {
    finished: "ok", succeeded: "ok", ready: "ok", live: "ok", passed: "ok", promoted: "ok",
    completed: "ok", advanced: "ok", done: "ok", healthy: "ok",
    failed: "bad", aborted: "bad", error: "bad", lost: "bad", refused: "bad", rolledback: "bad", rejected: "bad", worse: "bad",
    killed: "warn", stopped: "warn", stopping: "warn", paused: "warn", stoppedearly: "warn",
    running: "live", starting: "live", loading: "live", rolling: "live", converting: "live",
    checking: "live", warming: "live", waiting: "idle", progressing: "live", preparing: "live", building: "live",
};

export function toneOf(state: string): Tone {
    return tones[state.toLowerCase().replace(/[_ -]/g, "")] ?? "idle";
}

/** A state in words and colour. */
export function StatusBadge({ state, tone }: { state: string; tone?: Tone }) {
    const words = state.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/_/g, " ").toLowerCase();
    return <span className={`badge ${tone ?? toneOf(state)}`}>{words}</span>;
}

export function StatusDot({ state }: { state: string }) {
    return <span className={`dot ${toneOf(state)}`} role="img" aria-label={state.toLowerCase()} title={state.toLowerCase()} />;
}
