import type { QueryValues } from "../../api/client";
import { localStamp } from "../../core/format";
import { useLocation } from "../../core/router";

/** What narrows the list; all of it stands in the address. Empty is "any". */
export interface Filters {
    id: string;
    deployment: string;
    environment: string;
    revision: string;
    errors: string;
    /** In milliseconds. */
    slower: string;
    /** A key of `spans`, or `between`, which takes `since` and `until`. */
    time: string;
    since: string;
    until: string;
    /** Where the page begins: the `next` of the page before. */
    before: string;
}

/** Seconds back from now. */
export const spans: Record<string, { label: string; seconds: number }> = {
    "10m": { label: "Last 10 minutes", seconds: 600 },
    "1h": { label: "Last hour", seconds: 3600 },
    "1d": { label: "Last day", seconds: 86_400 },
    "7d": { label: "Last 7 days", seconds: 7 * 86_400 },
};

export function useFilters(): Filters {
    const { query } = useLocation();
    const read = (name: string) => query.get(name) ?? "";
    return {
        id: read("id").trim().toLowerCase(), deployment: read("deployment"), environment: read("environment"), revision: read("revision"),
        errors: read("errors"), slower: read("slower"), time: read("time"), since: read("since"), until: read("until"), before: read("before"),
    };
}

/** An identifier as `X-Aloft-Prediction-Id` says it. */
export function isPredictionID(text: string): boolean {
    return /^[0-9a-f]{28}$/.test(text);
}

/** What the server is asked; spans are counted back from now. */
export function asked(filters: Filters, limit: number): QueryValues {
    if (filters.id !== "") return { id: filters.id };
    const span = spans[filters.time];
    const isBetween = filters.time === "between";
    const given = (text: string) => (text === "" ? undefined : text);
    return {
        deployment: given(filters.deployment),
        environment: filters.deployment === "" ? undefined : given(filters.environment),
        revision: filters.deployment === "" ? undefined : given(filters.revision),
        errors: filters.errors === "true" ? true : undefined,
        slower: given(filters.slower),
        since: span ? new Date(Date.now() - span.seconds * 1000).toISOString() : isBetween ? given(filters.since) : undefined,
        until: isBetween ? given(filters.until) : undefined,
        before: given(filters.before), limit,
    };
}

export function isNarrowed(filters: Filters): boolean {
    const { before: _, ...rest } = filters;
    return Object.values(rest).some((value) => value !== "");
}

/** A stamp as a field for dates takes it, in the reader's time zone. */
export function toField(stamp: string): string {
    const at = Date.parse(stamp);
    return Number.isNaN(at) ? "" : localStamp(at).slice(0, 16).replace(" ", "T");
}

export function fromField(text: string): string {
    const at = Date.parse(text);
    return Number.isNaN(at) ? "" : new Date(at).toISOString();
}
