import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { onTokenNeeded } from "../api/client";
import { Boundary } from "../components/State";
import { Toasts } from "../components/Toast";
import { feed } from "../core/events";
import { Link, useLocation } from "../core/router";
import { lazy, prefetchAll } from "./lazy";
import { useShortcuts } from "./Shortcuts";
import { navigation, pageFor } from "./pages";

/** Shown when they are asked for: the first page comes before them. */
const CommandPalette = lazy(() => import("./CommandPalette").then((part) => part.CommandPalette), null);
const ShortcutHelp = lazy(() => import("./ShortcutHelp").then((part) => part.ShortcutHelp), null);
const SignIn = lazy(() => import("./SignIn").then((part) => part.SignIn));

/** The frame around every page. */
export function Shell() {
    const place = useLocation();
    const [needsToken, setNeedsToken] = useState(false);
    const [help, setHelp] = useState(false);
    const [palette, setPalette] = useState(false);
    const showHelp = useCallback(() => setHelp(true), []);
    const showPalette = useCallback(() => setPalette(true), []);
    useShortcuts(showHelp, showPalette);
    const area = place.parts[0] ?? "";
    useEffect(prefetchAll, []);
    useEffect(() => onTokenNeeded(() => setNeedsToken(true)), []);
    if (needsToken) return <SignIn />;
    return (
        <div className="shell">
            <a className="skip-link" href="#main">Skip to the page</a>
            <Sidebar area={area} onFind={showPalette} onHelp={showHelp} />
            <main className="main" id="main" tabIndex={-1}>
                <div className="main-inner">
                    <Offline />
                    <Boundary resetOn={place.path}>
                        {pageFor(place.parts)}
                    </Boundary>
                </div>
            </main>
            <Toasts />
            {help && <ShortcutHelp onClose={() => setHelp(false)} />}
            {palette && <CommandPalette onClose={() => setPalette(false)} />}
        </div>
    );
}

function Sidebar({ area, onFind, onHelp }: { area: string; onFind: () => void; onHelp: () => void }) {
    const nav = useRef<HTMLElement>(null);
    // On a phone it is one line that scrolls.
    useEffect(() => {
        void nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
    }, [area]);
    return (
        <div className="sidebar">
            <Link to="/" className="brand" aria-label="Aloft, home">
                <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
                    <rect width="32" height="32" rx="8" fill="#2457c5" />
                    <path d="M6 21 26 8l-7 17-4-7-9 3Z" fill="#fff" />
                </svg>
                <span>Aloft</span>
            </Link>
            <button type="button" className="find-button" aria-label="Go to" onClick={onFind}>
                <svg width="15" height="15" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true"><path d="M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.5 10.5 14 14" /></svg>
                <span>Go to…</span> <kbd>Ctrl K</kbd>
            </button>
            <nav ref={nav} className="nav-groups" aria-label="Main">
                {navigation.map(({ title, items }) => (
                    <div key={title}>
                        {title !== "" && <div className="nav-title">{title}</div>}
                        <div className="nav">
                            {items.map((item) => (
                                <Link key={item.to} to={item.to}
                                    aria-current={isCurrent(item.area, area) ? "page" : undefined}>
                                    <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor"
                                        strokeWidth="1.4" strokeLinejoin="round" strokeLinecap="round" aria-hidden="true">
                                        <path d={item.icon} />
                                    </svg>
                                    {item.label}
                                </Link>
                            ))}
                        </div>
                    </div>
                ))}
            </nav>
            <div className="sidebar-foot">
                <button type="button" onClick={onHelp}>Keyboard shortcuts <kbd>?</kbd></button>
            </div>
        </div>
    );
}

/** Runs and comparisons belong to experiments. */
function isCurrent(item: string, area: string): boolean {
    if (item === "experiments") return ["experiments", "runs", "compare"].includes(area);
    return item === area;
}

/** Says when the live feed is broken, once it has been for a moment. */
function Offline() {
    const connected = useSyncExternalStore((listener) => feed.onConnectionChange(listener), () => feed.connected);
    const [shown, setShown] = useState(false);
    useEffect(() => {
        if (connected) {
            setShown(false);
            return;
        }
        const timer = window.setTimeout(() => setShown(true), 2500);
        return () => window.clearTimeout(timer);
    }, [connected]);
    if (!shown) return null;
    return <div className="offline" role="status">The connection to the server is lost. What you see may be old; trying again.</div>;
}
