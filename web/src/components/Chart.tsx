import { useEffect, useRef, useState } from "react";
import { placed } from "../api/base";
import { Near } from "./Near";
import { Skeleton } from "./State";

/** The part of the chart library that we use. */
interface Plotly {
    react(element: HTMLElement, traces: Trace[], layout: object, config: object): Promise<unknown>;
    purge(element: HTMLElement): void;
    Plots: { resize(element: HTMLElement): void };
}

export interface Trace {
    x: (number | string)[];
    y: (number | null)[];
    name: string;
    mode: "lines" | "markers" | "lines+markers";
    line?: { color: string; width?: number; shape?: string; dash?: string };
    marker?: { color: string | number[]; size?: number; opacity?: number; colorscale?: string; showscale?: boolean };
    text?: string[];
    opacity?: number;
    hovertemplate?: string;
    showlegend?: boolean;
    hoverinfo?: string;
    connectgaps?: boolean;
    fill?: "tozeroy" | "tonexty";
    fillcolor?: string;
}

/** Told apart also by people who see few colours; the same in both themes. */
export const palette = [
    "#3f74dd", "#e0772c", "#2f9e6e", "#c2417c", "#8a5cd1", "#b58a00", "#1b9db5", "#d1495b",
    "#7a8696", "#7fa32b",
];

export function colorOf(index: number): string {
    return palette[index % palette.length] ?? "#3f74dd";
}

let library: Promise<Plotly> | null = null;
/** Milliseconds that a chart waits where its page did not ask for the library before. */
const PAUSE = 700;

/** Loads the chart library once, and only when the first chart is about to be seen. */
function load(): Promise<Plotly> {
    library ??= new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = placed(CHART_LIBRARY_URL);
        script.onload = () => resolve((window as unknown as { Plotly: Plotly }).Plotly);
        script.onerror = () => {
            library = null;
            reject(new Error("The chart library could not be loaded."));
        };
        document.head.append(script);
    });
    return library;
}

/** Starts loading while the page asks for its data. */
export function prepareCharts(): void {
    load().catch(() => undefined);
}

function style(name: string): string {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export interface ChartProps {
    traces: Trace[];
    label: string;
    xTitle?: string;
    yTitle?: string;
    logY?: boolean;
    logX?: boolean;
    legend?: boolean;
    tall?: boolean;
    short?: boolean;
    dateX?: boolean;
    /** The ends of the x axis, where they are not those of the points. */
    xRange?: [string, string];
    /** The y axis begins at zero. */
    yZero?: boolean;
    hover?: "x" | "closest";
    /** Waits until it is seen: the library must not stop what is moved above it. */
    onlySeen?: boolean;
}

/** A chart that exists only while it is near the window's visible part. */
export function Chart(props: ChartProps) {
    return (
        <Near className={`chart-area ${props.tall ? "tall" : props.short ? "short" : ""}`} label={props.label} margin={props.onlySeen ? 0 : undefined}>
            <Plot {...props} />
        </Near>
    );
}

function Plot({ traces, xTitle, yTitle, logY, logX, legend, dateX, hover, xRange, yZero }: ChartProps) {
    const element = useRef<HTMLDivElement>(null);
    const [plotly, setPlotly] = useState<Plotly | null>(null);
    const [failure, setFailure] = useState<Error | null>(null);
    const [theme, setTheme] = useState(0);

    useEffect(() => {
        let isCurrent = true;
        const show = () => void load().then((loaded) => isCurrent && setPlotly(loaded), (error: Error) => isCurrent && setFailure(error));
        // Reading the library stops everything else for a moment: what is drawn without it comes first.
        const timer = window.setTimeout(show, library === null ? PAUSE : 0);
        const scheme = window.matchMedia("(prefers-color-scheme: dark)");
        const changed = () => setTheme((count) => count + 1);
        scheme.addEventListener("change", changed);
        return () => {
            isCurrent = false;
            window.clearTimeout(timer);
            scheme.removeEventListener("change", changed);
        };
    }, []);

    useEffect(() => {
        const node = element.current;
        if (node === null || plotly === null) return;
        const axis = {
            gridcolor: style("--line"), linecolor: style("--line-strong"), zerolinecolor: style("--line-strong"),
            tickfont: { color: style("--muted") }, automargin: true, ticks: "", showline: false,
        };
        const title = (text: string | undefined) =>
            text === undefined ? undefined : { text, font: { size: 12, color: style("--muted") }, standoff: 8 };
        const layout = {
            paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
            font: { family: style("--font"), size: 11.5, color: style("--soft") },
            margin: { l: 46, r: 14, t: 8, b: xTitle ? 40 : 28 }, autosize: true,
            showlegend: legend ?? false, hovermode: hover ?? "closest", dragmode: "zoom",
            legend: { orientation: "h", y: -0.2, font: { size: 11.5 } },
            hoverlabel: { bgcolor: style("--surface"), bordercolor: style("--line-strong"), font: { color: style("--text"), family: style("--font") } },
            uirevision: xTitle ?? "keep",
            xaxis: { ...axis, title: title(xTitle), type: dateX ? "date" : logX ? "log" : "-", ...(xRange ? { range: xRange, uirevision: xRange[1] } : {}) },
            yaxis: { ...axis, title: title(yTitle), type: logY ? "log" : "-", ...(yZero ? { rangemode: "tozero" } : {}) },
        };
        const config = {
            displaylogo: false, responsive: false, displayModeBar: false, doubleClick: "reset",
            showTips: false,
        };
        void plotly.react(node, traces, layout, config);
    }, [plotly, traces, xTitle, yTitle, logX, logY, legend, dateX, hover, theme, xRange, yZero]);

    useEffect(() => {
        const node = element.current;
        if (node === null || plotly === null) return;
        const watcher = new ResizeObserver(() => {
            if (node.offsetParent !== null) plotly.Plots.resize(node);
        });
        watcher.observe(node);
        return () => {
            watcher.disconnect();
            plotly.purge(node);
        };
    }, [plotly]);

    if (failure !== null) return <div className="state">{failure.message}</div>;
    return (
        <>
            {plotly === null && <Skeleton lines={4} />}
            <div ref={element} style={{ height: "100%" }} />
        </>
    );
}

/** A small curve without axes. */
export function Sparkline({ values, width = 120, height = 28, color = "var(--accent)", label }: {
    values: number[]; width?: number; height?: number; color?: string; label: string;
}) {
    const known = values.filter(Number.isFinite);
    if (known.length < 2) return <span className="muted">–</span>;
    const low = Math.min(...known);
    const high = Math.max(...known);
    const points = known.map((value, index) => {
        const x = (index / (known.length - 1)) * width;
        const y = height - 2 - ((value - low) / (high - low || 1)) * (height - 4);
        return `${x.toFixed(1)},${y.toFixed(1)}`;
    });
    return (
        <svg className="sparkline" width={width} height={height} role="img" aria-label={label}>
            <polyline points={points.join(" ")} fill="none" stroke={color} strokeWidth="1.5" />
        </svg>
    );
}
