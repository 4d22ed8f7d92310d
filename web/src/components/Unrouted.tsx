import type { Schemas } from "../api/generated";
import { count } from "../core/format";
import { RelativeTime } from "./Time";

type Unrouted = Schemas["ListTrafficUnrouted"];

const words: Record<string, string> = {
    model_not_found: "to a model that is not there",
    model_not_ready: "while no revision could answer",
    version_not_found: "to a version that is not served",
    no_such_route: "to a path that is none",
    method_not_allowed: "with another method than the path takes",
    token_missing: "without a token",
    token_unknown: "with an unknown token",
    token_unverifiable: "whose token could not be checked",
    body_too_large: "with too large a body",
    malformed_http: "that were no HTTP",
    overloaded: "turned away since too many waited",
};

/** Requests that came to no revision, so that no revision's numbers hold them. */
export function UnroutedList({ unrouted, minutes, withNames = false }: { unrouted: Unrouted[]; minutes: string; withNames?: boolean }) {
    if (unrouted.length === 0) return null;
    const all = unrouted.reduce((sum, { requests }) => sum + requests, 0);
    return (
        <div className="unrouted" role="group" aria-label="Requests to no revision">
            <div className="small soft">{count(all)} {all === 1 ? "request" : "requests"} in the last {minutes} minutes came to no revision:</div>
            <ul className="list">
                {unrouted.slice(0, 8).map((each) => (
                    <li key={`${each.code} ${each.endpoint ?? ""}`}>
                        <span className={`badge ${each.status >= 500 ? "bad" : "warn"}`}>{each.status}</span>
                        <div className="grow cut">
                            {count(each.requests)} {words[each.code] ?? each.code.replace(/_/g, " ")}
                            {withNames && each.endpoint !== undefined && <> <span className="mono"><bdi>{each.endpoint.slice(0, 100)}</bdi></span></>}
                        </div>
                        <span className="muted small"><RelativeTime at={each.lastAt * 1000} /></span>
                    </li>
                ))}
                {unrouted.length > 8 && <li className="muted small">{unrouted.length - 8} more kinds</li>}
            </ul>
        </div>
    );
}
