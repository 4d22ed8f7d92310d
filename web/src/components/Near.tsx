import { useEffect, useRef, useState, type ReactNode } from "react";

/** Holds a place; its content exists only while it is near the window's visible part. */
export function Near({ className, label, margin = 300, children }: {
    className: string; label?: string; margin?: number | undefined; children: ReactNode;
}) {
    const box = useRef<HTMLDivElement>(null);
    const [isNear, setNear] = useState(false);
    useEffect(() => {
        const element = box.current;
        if (element === null) return;
        const watcher = new IntersectionObserver(
            ([entry]) => setNear(entry?.isIntersecting ?? false), { rootMargin: `${margin}px` });
        watcher.observe(element);
        return () => watcher.disconnect();
    }, [margin]);
    return <div ref={box} className={className} role={label === undefined ? undefined : "img"} aria-label={label}>{isNear && children}</div>;
}
