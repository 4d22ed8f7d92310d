import type { Schemas } from "../api/generated";

/** Which gateways do not answer with a revision that should have traffic, and why. */
export function NotAnswered({ revision }: { revision: Schemas["RevisionItem"] }) {
    if (revision.isAnswered) return null;
    if (revision.awaited.length === 0) return <div className="warn-text small">No gateway is connected: nobody answers.</div>;
    return (
        <div className="small">
            {revision.awaited.slice(0, 5).map(({ gateway, reason }) => (
                <div key={gateway} className="warn-text">Gateway <span className="mono">{gateway.slice(0, 40)}</span> {reason.slice(0, 500)}</div>
            ))}
            {revision.awaited.length > 5 && <div className="muted">and {revision.awaited.length - 5} more</div>}
        </div>
    );
}
