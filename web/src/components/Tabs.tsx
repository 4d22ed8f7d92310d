import { Link } from "../core/router";

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
