import { Component, type ReactNode } from "react";
import { ApiError } from "../api/client";
import type { Query } from "../core/query";

/** Nothing here yet, and what to do first. */
export function Empty({ title, children, actions }: {
    title: string; children?: ReactNode; actions?: ReactNode;
}) {
    return (
        <div className="state">
            <h2>{title}</h2>
            {children !== undefined && <div>{children}</div>}
            {actions !== undefined && <div className="row">{actions}</div>}
        </div>
    );
}

/** What went wrong, its code, and what can be done. */
export function ErrorBox({ error, retry }: { error: Error | null; retry?: () => void }) {
    if (error === null) return null;
    const code = error instanceof ApiError ? error.code : "page_failed";
    return (
        <div className="error-box row between" role="alert">
            <div>
                <div>{error.message}</div>
                <code>{code}</code>
            </div>
            {retry && <button type="button" className="button small" onClick={retry}>Try again</button>}
        </div>
    );
}

export function Skeleton({ lines = 5 }: { lines?: number }) {
    const widths = ["92%", "74%", "84%", "61%", "79%"];
    return (
        <div className="stack tight" aria-busy="true" aria-label="Loading" role="status"
            style={{ padding: "18px" }}>
            {Array.from({ length: lines }, (_, index) => (
                <div key={index} className="skeleton"
                    style={{ width: widths[index % widths.length] }} />
            ))}
        </div>
    );
}

/** Shows a query's answer; before it a skeleton, instead of it the error. */
export function Loaded<T>({ query, lines, children }: {
    query: Query<T>; lines?: number; children: (data: T) => ReactNode;
}) {
    if (query.data !== undefined) return <>{children(query.data)}</>;
    if (query.error !== null) {
        return <div style={{ padding: 16 }}><ErrorBox error={query.error} retry={() => void query.reload()} /></div>;
    }
    return <Skeleton {...(lines === undefined ? {} : { lines })} />;
}

/** A page that fails shows what failed; the rest of the window goes on. */
export class Boundary extends Component<{ children: ReactNode; resetOn: string }, { error: Error | null }> {
    override state: { error: Error | null } = { error: null };

    static getDerivedStateFromError(error: Error) {
        return { error };
    }

    override componentDidUpdate(before: { resetOn: string }) {
        if (before.resetOn !== this.props.resetOn && this.state.error !== null) {
            this.setState({ error: null });
        }
    }

    override render() {
        if (this.state.error === null) return this.props.children;
        return (
            <ErrorBox error={this.state.error} retry={() => this.setState({ error: null })} />
        );
    }
}
