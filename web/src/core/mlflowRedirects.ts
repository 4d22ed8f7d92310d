/**
 * Addresses of MLflow's own pages, which its clients print and people keep in notes, as ours: those behind
 * `#` as well as the same without. `null` where an address is none of them.
 */
export function fromMLflow(pathname: string, search: string, hash: string): string | null {
    if (hash.startsWith("#/")) {
        const [path = "", query = ""] = hash.slice(1).split(/\?(.*)/s);
        const ours = translated(parts(path), new URLSearchParams(query));
        // A page of theirs that we have under the same name, and what we do not know, which says so.
        return ours ?? (query === "" ? path : `${path}?${query}`);
    }
    return translated(parts(pathname), new URLSearchParams(search));
}

function parts(path: string): string[] {
    return path.split("/").filter((part) => part !== "");
}

function translated(path: string[], query: URLSearchParams): string | null {
    const [area, first = "", kind, id, ...rest] = path;
    const run = (name: string, more: string[]) => {
        const [tab, ...file] = more;
        if (tab === "artifacts") return `/runs/${name}?tab=artifacts${file.length === 0 ? "" : `&file=${encodeURIComponent(file.map(decoded).join("/"))}`}`;
        return `/runs/${name}${tab !== undefined && /metrics/.test(tab) ? "?tab=curves" : ""}`;
    };
    switch (area) {
        case "experiments":
            if (kind === "runs" && id !== undefined) return run(id, rest);
            if (kind === undefined && first !== "" && query.has("searchFilter")) {
                return `/experiments/${first}?filter=${encodeURIComponent(query.get("searchFilter") ?? "")}`;
            }
            // A logged model has a page that finds out which run it came from.
            if (first === "" || kind === undefined || (kind === "models" && id !== undefined)) return null;
            return `/experiments/${first}`;
        case "compare-runs": return `/compare?runs=${listed(query.get("runs")).map(encodeURIComponent).join(",")}`;
        case "compare-experiments": return experimentOf(query) ?? "/experiments";
        case "metric": {
            const metric = query.get("metric") ?? listed(query.get("plot_metric_keys"))[0];
            const chosen = metric === undefined ? "" : `&metrics=${encodeURIComponent(metric)}`;
            return `/compare?runs=${listed(query.get("runs")).map(encodeURIComponent).join(",")}${chosen}`;
        }
        case "prompts": return first === "" ? "/models" : `/models/${first}`;
        case "models":
            // Theirs end in a tab or a page.
            if (kind === "versions" && id !== undefined && rest.length > 0) return `/models/${first}/versions/${id}`;
            return kind === "model" || kind === "page" ? `/models/${first}` : null;
        case "compare-model-versions": {
            const name = query.get("name");
            return name === null ? "/models" : `/models/${encodeURIComponent(name.replace(/^"|"$/g, ""))}`;
        }
        default: return null;
    }
}

function experimentOf(query: URLSearchParams): string | null {
    const [first] = listed(query.get("experiments"));
    return first === undefined ? null : `/experiments/${encodeURIComponent(first)}`;
}

/** A list that is written as JSON. */
function listed(text: string | null): string[] {
    try {
        const list: unknown = JSON.parse(text ?? "[]");
        return Array.isArray(list) ? list.filter((item): item is string => typeof item === "string") : [];
    } catch {
        return [];
    }
}

function decoded(part: string): string {
    try {
        return decodeURIComponent(part);
    } catch {
        return part;
    }
}
