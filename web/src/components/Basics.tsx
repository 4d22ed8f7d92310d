import { useEffect, useId, useLayoutEffect, useRef, useState, type ReactNode } from "react";
import { Link } from "../core/router";

export interface Crumb {
    label: string;
    to: string;
}

/** The head of each page, and its title in the window's. */
export function Page({ title, badge, crumbs = [], note, actions, children, plainTitle }: {
    title: ReactNode; plainTitle?: string; badge?: ReactNode; crumbs?: Crumb[]; note?: ReactNode;
    actions?: ReactNode; children: ReactNode;
}) {
    const name = plainTitle ?? (typeof title === "string" ? title : "Aloft");
    useEffect(() => {
        document.title = `${name.slice(0, 80)} · Aloft`;
    }, [name]);
    return (
        <>
            <header className="page-head">
                <div className="page-title">
                    {crumbs.length > 0 && (
                        <nav aria-label="Breadcrumb">
                            <ol className="crumbs">
                                {crumbs.map((crumb) => (
                                    <li key={crumb.to}>
                                        <Link to={crumb.to} className="cut"><bdi>{crumb.label}</bdi></Link>
                                    </li>
                                ))}
                            </ol>
                        </nav>
                    )}
                    <h1>
                        <span className="title-text" title={name.length > 100 ? name.slice(0, 400) : undefined}>
                            <bdi>{title}</bdi>
                        </span>
                        {badge}
                    </h1>
                    {note !== undefined && <div className="page-note">{note}</div>}
                </div>
                {actions !== undefined && <div className="page-actions">{actions}</div>}
            </header>
            {children}
        </>
    );
}

export function Card({ title, side, children, flush = false, className = "" }: {
    title?: ReactNode; side?: ReactNode; children: ReactNode; flush?: boolean; className?: string;
}) {
    return (
        <section className={`card ${className}`}>
            {(title !== undefined || side !== undefined) && (
                <div className="card-head">
                    <h2>{title}</h2>
                    {side !== undefined && <div className="card-head-side">{side}</div>}
                </div>
            )}
            <div className={flush ? "card-body flush" : "card-body"}>{children}</div>
        </section>
    );
}

export function Tabs({ items, current }: {
    items: { id: string; label: string; to: string; count?: number }[]; current: string;
}) {
    return (
        <nav className="tabs" aria-label="Sections">
            {items.map((item) => (
                <Link key={item.id} to={item.to} aria-current={item.id === current ? "page" : undefined}>
                    {item.label}
                    {item.count !== undefined && item.count > 0 && <span className="count">{item.count}</span>}
                </Link>
            ))}
        </nav>
    );
}

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
export function Status({ state, tone }: { state: string; tone?: Tone }) {
    const words = state.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/_/g, " ").toLowerCase();
    return <span className={`badge ${tone ?? toneOf(state)}`}>{words}</span>;
}

export function Dot({ state }: { state: string }) {
    return <span className={`dot ${toneOf(state)}`} role="img" aria-label={state.toLowerCase()} title={state.toLowerCase()} />;
}

export function Copy({ text, label = "Copy", className = "" }: { text: string; label?: string; className?: string }) {
    const [done, setDone] = useState(false);
    const timer = useRef<number>();
    useEffect(() => () => window.clearTimeout(timer.current), []);
    const copy = async () => {
        await copyText(text);
        setDone(true);
        timer.current = window.setTimeout(() => setDone(false), 1500);
    };
    return (
        <button type="button" className={`copy ${className}`} onClick={() => void copy()}>
            <span aria-live="polite">{done ? "Copied" : label}</span>
        </button>
    );
}

/** Pages reached by plain HTTP on another machine have no clipboard interface. */
async function copyText(text: string): Promise<void> {
    if (navigator.clipboard !== undefined) {
        await navigator.clipboard.writeText(text);
        return;
    }
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
}

export function Code({ text, copyable = true }: { text: string; copyable?: boolean }) {
    return (
        <div className="code-box">
            <pre className="code" tabIndex={0}>{text}</pre>
            {copyable && <Copy text={text} />}
        </div>
    );
}

/** A panel that opens below a button; closes on Escape and on a click elsewhere. */
export function Menu({ label, children }: { label: ReactNode; children: ReactNode | ((close: () => void) => ReactNode) }) {
    const [open, setOpen] = useState(false);
    const box = useRef<HTMLDivElement>(null);
    const id = useId();
    const panel = useRef<HTMLDivElement>(null);
    // Wherever its button stands, a menu stays inside the window.
    useLayoutEffect(() => {
        const element = panel.current;
        if (!open || element === null) return;
        const { left, right } = element.getBoundingClientRect();
        const room = document.documentElement.clientWidth - 8;
        const shift = right > room ? room - right : left < 8 ? 8 - left : 0;
        if (shift !== 0) element.style.transform = `translateX(${Math.round(shift)}px)`;
    }, [open]);
    useEffect(() => {
        if (!open) return;
        const close = (event: Event) => {
            if (event instanceof KeyboardEvent) {
                if (event.key === "Escape") setOpen(false);
            } else if (!box.current?.contains(event.target as Node)) setOpen(false);
        };
        document.addEventListener("mousedown", close);
        document.addEventListener("keydown", close);
        return () => {
            document.removeEventListener("mousedown", close);
            document.removeEventListener("keydown", close);
        };
    }, [open]);
    return (
        <div className="menu" ref={box}>
            <button type="button" className="button" aria-expanded={open} aria-controls={id}
                onClick={() => setOpen(!open)}>{label}</button>
            {open && <div className="menu-panel" id={id} ref={panel}>{typeof children === "function" ? children(() => setOpen(false)) : children}</div>}
        </div>
    );
}

export function Facts({ items }: { items: [string, ReactNode][] }) {
    const known = items.filter(([, value]) => value !== undefined && value !== null && value !== "");
    return (
        <dl className="facts">
            {known.map(([name, value]) => (
                <Fact key={name} name={name} value={value} />
            ))}
        </dl>
    );
}

function Fact({ name, value }: { name: string; value: ReactNode }) {
    return <><dt>{name}</dt><dd>{value}</dd></>;
}
