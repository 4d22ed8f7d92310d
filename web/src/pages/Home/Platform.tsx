/** The parts of Home that need the platform's own routes; filled in with the pages they lead to. */

export function Attention() {
    return null;
}

export function Live() {
    return null;
}

export function Working() {
    return null;
}
