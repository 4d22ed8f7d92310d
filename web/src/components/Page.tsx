import { useEffect, type ReactNode } from "react";
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
