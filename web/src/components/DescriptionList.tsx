import { type ReactNode } from "react";

export function DescriptionList({ items }: { items: [string, ReactNode][] }) {
    const known = items.filter(([, value]) => value !== undefined && value !== null && value !== "");
    return (
        <dl className="description-list">
            {known.map(([name, value]) => (
                <Description key={name} name={name} value={value} />
            ))}
        </dl>
    );
}

function Description({ name, value }: { name: string; value: ReactNode }) {
    return <><dt>{name}</dt><dd>{value}</dd></>;
}
