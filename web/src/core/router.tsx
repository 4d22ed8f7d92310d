import {
    createContext, useCallback, useContext, useEffect, useMemo, useState,
    type AnchorHTMLAttributes, type MouseEvent, type ReactNode,
} from "react";
import { base, withBase } from "../api/base";
import { restoreScroll, newHistoryEntry } from "./historyState";

/** Where we are: the path's decoded parts and the query. */
export interface AppLocation {
    path: string;
    parts: string[];
    query: URLSearchParams;
}

/** The address below the path where this server is shown. */
function pathHere(): string {
    const { pathname } = window.location;
    return pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : pathname === base ? "/" : pathname;
}

/** Where an address may be one of MLflow's own pages; what knows them is loaded only then. */
const theirs = /^\/(?:experiments\/[^/]+(?:\/|$)|models\/[^/]+\/|compare-|metric|prompts)/;

/** An address of MLflow's own pages becomes ours, before anything is shown. */
export async function redirectFromMLflow(): Promise<void> {
    const { hash, search } = window.location;
    if (!hash.startsWith("#/") && !theirs.test(pathHere())) return;
    const { fromMLflow } = await import("./mlflowRedirects");
    const ours = fromMLflow(pathHere(), search, hash);
    if (ours !== null) window.history.replaceState(window.history.state, "", withBase(ours));
}

function here(): AppLocation {
    const path = pathHere();
    return { path, parts: decodeParts(path), query: new URLSearchParams(window.location.search) };
}

function decodeParts(path: string): string[] {
    return path.split("/").filter((part) => part !== "").map((part) => {
        try {
            return decodeURIComponent(part);
        } catch {
            return part;
        }
    });
}

const LocationContext = createContext<AppLocation>({ path: "/", parts: [], query: new URLSearchParams() });
const moved = new EventTarget();

export function navigate(to: string, options: { replace?: boolean } = {}): void {
    const from = window.location.pathname;
    if (options.replace) window.history.replaceState(window.history.state, "", withBase(to));
    else window.history.pushState(newHistoryEntry(), "", withBase(to));
    moved.dispatchEvent(new Event("moved"));
    if (window.location.pathname !== from) {
        window.scrollTo(0, 0);
        document.getElementById("main")?.focus({ preventScroll: true });
    }
}

export function RouterProvider({ children }: { children: ReactNode }) {
    const [location, setLocation] = useState(here);
    useEffect(() => {
        const update = () => setLocation(here());
        window.addEventListener("popstate", update);
        const onHash = () => void redirectFromMLflow().then(update);
        window.addEventListener("hashchange", onHash);
        moved.addEventListener("moved", update);
        return () => {
            window.removeEventListener("popstate", update);
            window.removeEventListener("hashchange", onHash);
            moved.removeEventListener("moved", update);
        };
    }, []);
    return <LocationContext.Provider value={location}>{children}</LocationContext.Provider>;
}

restoreScroll();

export function useLocation(): AppLocation {
    return useContext(LocationContext);
}

/** One value kept in the address, so that the page can be sent to a colleague as it is. */
export function useSearchParam(name: string, otherwise = ""): [string, (value: string) => void] {
    const { query } = useLocation();
    const value = query.get(name) ?? otherwise;
    const set = useCallback(
        (next: string) => setSearchParams({ [name]: next === otherwise ? "" : next }),
        [name, otherwise],
    );
    return [value, set];
}

/** Changes several values of the address at once; an empty one is left out. */
export function setSearchParams(values: Record<string, string>): void {
    const query = new URLSearchParams(window.location.search);
    for (const [name, value] of Object.entries(values)) {
        if (value === "") query.delete(name);
        else query.set(name, value);
    }
    const text = query.toString();
    navigate(pathHere() + (text ? `?${text}` : ""), { replace: true });
}

/** A list in the address; each item is encoded, so that items may hold commas. */
export function useSearchParamList(name: string): [string[], (items: string[]) => void] {
    const [text, set] = useSearchParam(name);
    const items = useMemo(
        () => text.split(",").filter((item) => item !== "").map(decodeItem), [text]);
    return [items, useCallback((next: string[]) => set(next.map(encodeItem).join(",")), [set])];
}

export function encodeItem(item: string): string {
    return item.replace(/%/g, "%25").replace(/,/g, "%2C");
}

export function decodeItem(item: string): string {
    return item.replace(/%2C/g, ",").replace(/%25/g, "%");
}

/** A path from parts that may hold anything. */
export function path(...parts: string[]): string {
    return "/" + parts.map(encodeURIComponent).join("/");
}

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { to: string };

export function Link({ to, onClick, ...rest }: LinkProps) {
    const follow = (event: MouseEvent<HTMLAnchorElement>) => {
        onClick?.(event);
        const ours = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
        if (event.defaultPrevented || !ours || rest.target === "_blank") return;
        event.preventDefault();
        navigate(to);
    };
    return <a href={withBase(to)} onClick={follow} {...rest} />;
}
