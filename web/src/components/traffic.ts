import { call } from "../api/client";
import type { Schemas } from "../api/generated";
import { useQuery, type Query } from "../core/query";

export type Traffic = Schemas["ListTrafficReply"];
export type Series = Schemas["ListTrafficSeries"];

/** What gateways counted in the last minutes: of one deployment, or of all. */
export function useTraffic(minutes: number, place?: { deployment: string; environment: string }): Query<Traffic> {
    const key = `traffic/${minutes}/${place?.deployment ?? ""}/${place?.environment ?? ""}`;
    return useQuery(key, () => call("ListTraffic", { query: { minutes, ...place } }), { refetchInterval: 2500 });
}

export interface Rates {
    /** Whatever was asked, answered or not. */
    perSecond: number;
    /** Of what was asked, 0…1; `undefined` without requests. */
    failed: number | undefined;
    refused: number | undefined;
    p50: number | undefined;
    p95: number | undefined;
    p99: number | undefined;
}

/** What came in the last half minute. Percentiles are those of the busiest of its intervals. */
export function ratesOf(series: Series | undefined, traffic: Traffic): Rates {
    const seconds = 30;
    const recent = (series?.points ?? []).filter(({ at }) => at >= traffic.to - seconds && at < traffic.to);
    const requests = recent.reduce((sum, point) => sum + askedOf(point), 0);
    const errors = recent.reduce((sum, point) => sum + point.errors, 0);
    const refused = recent.reduce((sum, point) => sum + refusedOf(point), 0);
    const busiest = recent.reduce<typeof recent[number] | undefined>(
        (best, point) => (best === undefined || point.requests >= best.requests ? point : best), undefined);
    return {
        perSecond: requests / seconds, failed: requests === 0 ? undefined : errors / requests,
        refused: requests === 0 ? undefined : refused / requests,
        p50: busiest?.p50Milliseconds, p95: busiest?.p95Milliseconds, p99: busiest?.p99Milliseconds,
    };
}

type Counted = Pick<Series["points"][number], "requests" | "refused" | "turnedAway">;

/** Requests that were not taken: their callers got them wrong (4xx), or too many waited (429). */
export function refusedOf(point: Counted): number {
    return point.refused + point.turnedAway;
}

export function askedOf(point: Counted): number {
    return point.requests + refusedOf(point);
}

/** Requests a second in each interval of the window, the empty ones too. */
export function perSecond(series: Series, traffic: Traffic): number[] {
    const known = new Map(series.points.map((point) => [point.at, askedOf(point)]));
    return intervals(traffic).map((at) => (known.get(at) ?? 0) / traffic.intervalSeconds);
}

/** The begins of the window's whole intervals, in seconds since 1970. */
export function intervals(traffic: Traffic): number[] {
    const { from, to, intervalSeconds } = traffic;
    const length = Math.max(0, Math.floor((to - from) / intervalSeconds));
    return Array.from({ length }, (_, index) => from + index * intervalSeconds);
}

export function rateText(value: number): string {
    if (value === 0) return "0";
    return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString("en-US");
}

export function millisecondsText(value: number | undefined | null): string {
    if (value === undefined || value === null) return "–";
    return `${Number(value.toPrecision(3))} ms`;
}

export function shareText(value: number | undefined): string {
    if (value === undefined) return "–";
    if (value === 0) return "0%";
    return value < 0.001 ? "<0.1%" : `${Number((value * 100).toPrecision(3))}%`;
}
