import { type ReactNode } from "react";

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
