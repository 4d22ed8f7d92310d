import { useMemo } from "react";
import type { Schemas } from "../../api/generated";
import { Card } from "../../components/Card";
import { Chart, type Line } from "../../components/Chart";
import { colorOf } from "../../components/palette";
import { ResponsiveTable, type ResponsiveColumn } from "../../components/ResponsiveTable";
import { Empty, ErrorBox, Skeleton } from "../../components/State";
import {
    askedOf, intervals, millisecondsText, perSecond, ratesOf, refusedOf, rateText, shareText, useTraffic, type Rates, type Series, type Traffic,
} from "../../components/traffic";
import { clockTime, percent } from "../../core/format";
import { useSearchParam } from "../../core/router";
import { UnroutedList } from "../../components/Unrouted";
import { trafficColor } from "./colors";

type Revision = Schemas["RevisionItem"];

/** Requests, failures, refusals and latencies of each revision, as gateways count them. */
export function LiveTraffic({ name, environment, revisions }: { name: string; environment: string; revisions: Revision[] }) {
    const [minutes, setMinutes] = useSearchParam("minutes", "10");
    const query = useTraffic(Math.min(60, Math.max(1, Number(minutes) || 10)), { deployment: name, environment });
    const traffic = query.data;
    return (
        <Card title="Live traffic" flush side={(
            <select className="select" aria-label="How far back" value={minutes} onChange={(event) => setMinutes(event.target.value)}>
                {["2", "10", "30", "60"].map((each) => <option key={each} value={each}>Last {each} min</option>)}
            </select>
        )}>
            {traffic === undefined
                ? <div style={{ minHeight: 380 }}>{query.error ? <ErrorBox error={query.error} /> : <Skeleton lines={8} />}</div>
                : (
                    <>
                        <Figures traffic={traffic} revisions={revisions} />
                        <UnroutedList unrouted={traffic.unrouted} minutes={minutes} />
                        {traffic.series.some(({ points }) => points.length > 0)
                            ? <TrafficCharts traffic={traffic} />
                            : (
                                <div className="no-traffic">
                                    <Empty title={`No requests in the last ${minutes} minutes`}>What is asked shows here within some seconds.</Empty>
                                </div>
                            )}
                    </>
                )}
        </Card>
    );
}

function Figures({ traffic, revisions }: { traffic: Traffic; revisions: Revision[] }) {
    const known = new Map(traffic.series.map((series) => [series.revision, series]));
    const rows = revisions.map((revision): [Revision, Rates] => [revision, ratesOf(known.get(revision.id), traffic)]);
    return <ResponsiveTable keep label="Rates by revision" rows={rows} rowID={([{ id }]) => id} columns={figures} />;
}

const figures: ResponsiveColumn<[Revision, Rates]>[] = [
    {
        title: "Revision",
        cell: ([{ number, model, version }]) => (
            <><span className="dot" style={{ background: trafficColor(number), marginRight: 8 }} />r{number} <span className="muted">{model} v{version}</span></>
        ),
    },
    { title: "Share", right: true, wide: true, cell: ([{ weightPercent }]) => percent(weightPercent) },
    { title: "Requests/s", right: true, cell: ([, { perSecond: rate }]) => <strong>{rateText(rate)}</strong> },
    { title: "Failed", right: true, cell: ([, { failed }]) => shareText(failed) },
    { title: "Refused", right: true, cell: ([, { refused }]) => shareText(refused) },
    { title: "p50", right: true, className: "nowrap", cell: ([, { p50 }]) => millisecondsText(p50) },
    { title: "p95", right: true, wide: true, className: "nowrap", cell: ([, { p95 }]) => millisecondsText(p95) },
    { title: "p99", right: true, className: "nowrap", cell: ([, { p99 }]) => millisecondsText(p99) },
];

function TrafficCharts({ traffic }: { traffic: Traffic }) {
    const made = useMemo(() => linesOf(traffic), [traffic]);
    const domain = useMemo(() => ({ from: traffic.from * 1000, to: traffic.to * 1000 }), [traffic]);
    const chart = (title: string, lines: Line[], unit: string, text: (value: number) => string) => (
        <section>
            <h3 style={{ padding: "12px 14px 0" }}>{title}</h3>
            <Chart lines={lines} label={`${title} by revision`} kind="time" domain={domain} includeZero titleY={unit} sharedTooltip short
                tooltip={(line, index) => ({ value: text(line.y[index] ?? NaN), place: clockTime(line.x[index] ?? NaN), name: line.name })} />
        </section>
    );
    return (
        <div className="chart-row">
            {chart("Requests a second", made.requests, "", (value) => `${value.toFixed(1)}/s`)}
            {chart("Failed (5xx) and refused (4xx, dashed)", made.errors, "%", (value) => `${value.toFixed(2)}%`)}
            {chart("Latency, p50 dashed and p99", made.latency, "ms", millisecondsText)}
        </div>
    );
}

function linesOf(traffic: Traffic): { requests: Line[]; errors: Line[]; latency: Line[] } {
    const all = intervals(traffic);
    const x = all.map((at) => at * 1000);
    const line = (series: Series, y: number[], what: string, isDashed = false): Line => ({
        id: `${series.revision} ${what}`, name: `r${series.number} ${what}`, color: colorOf(series.number % 5), x, y, isDashed, isSparse: true,
    });
    const points = (series: Series) => {
        const known = new Map(series.points.map((point) => [point.at, point]));
        return all.map((at) => known.get(at));
    };
    return {
        requests: traffic.series.map((series) => line(series, perSecond(series, traffic), "")),
        errors: traffic.series.flatMap((series) => {
            const share = (count: (point: Series["points"][number]) => number) => points(series).map((point) =>
                (point === undefined || askedOf(point) === 0 ? NaN : (100 * count(point)) / askedOf(point)));
            return [line(series, share((point) => point.errors), "failed"), line(series, share(refusedOf), "refused", true)];
        }),
        latency: traffic.series.flatMap((series) => [
            line(series, points(series).map((point) => point?.p99Milliseconds ?? NaN), "p99"),
            line(series, points(series).map((point) => point?.p50Milliseconds ?? NaN), "p50", true),
        ]),
    };
}
