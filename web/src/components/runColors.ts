/**
 * Colours of runs: a run has the same on every page as long as the window is open, and nearly always the same
 * in another one; among twenty that are shown together no two are alike.
 */
const colors = [
    "#3f74dd", "#e0772c", "#2f9e6e", "#c2417c", "#8a5cd1", "#b58a00", "#1b9db5", "#d1495b", "#7a8696", "#7fa32b",
    "#4b1ff9", "#f91ff9", "#ef0606", "#774c22", "#1bbb1b", "#dd9988", "#fb6ade", "#cd98cd", "#526732", "#b4a464",
];
/** Shares no divisor with their number, so that one looks at all of them. */
const STRIDE = 7;

const chosen = new Map<string, number>();

export function colorsOf(ids: string[]): Map<string, string> {
    const taken = new Set<number>();
    const free = (slot: number) => taken.size >= colors.length || !taken.has(slot);
    const places = new Map<string, number>();
    const give = (id: string, slot: number) => {
        places.set(id, slot);
        taken.add(slot);
    };
    // Who has one keeps it; what is new finds its place whatever order it comes in.
    const sorted = [...new Set(ids)].sort();
    for (const id of sorted) {
        const slot = chosen.get(id);
        if (slot !== undefined && free(slot)) give(id, slot);
    }
    for (const id of sorted) {
        if (places.has(id)) continue;
        let slot = wanted(id);
        while (!free(slot)) slot = (slot + STRIDE) % colors.length;
        give(id, slot);
        chosen.set(id, slot);
    }
    return new Map([...places].map(([id, slot]) => [id, colors[slot] ?? "#3f74dd"]));
}

/** From the id alone (FNV-1a). */
function wanted(id: string): number {
    let hash = 0x811c9dc5;
    for (let index = 0; index < id.length; index += 1) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
    return (hash >>> 8) % colors.length;
}
