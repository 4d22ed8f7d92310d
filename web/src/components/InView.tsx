import { useEffect, useRef, useState, type ReactNode } from "react";

/** Pixels above and below the visible part in which content already exists. */
const MARGIN = 300;

/** Holds a place; its content exists only while it is near the window's visible part. Until then `label` stands for it. */
export function InView({ className, label, children }: { className: string; label?: string; children: ReactNode }) {
    const box = useRef<HTMLDivElement>(null);
    const [isNear, setNear] = useState(false);
    useEffect(() => {
        const element = box.current;
        if (element === null) return;
        const watcher = new IntersectionObserver(
            ([entry]) => setNear(entry?.isIntersecting ?? false), { rootMargin: `${MARGIN}px` });
        watcher.observe(element);
        return () => watcher.disconnect();
    }, []);
    return <div ref={box} className={className} role={label === undefined || isNear ? undefined : "img"} aria-label={isNear ? undefined : label}>{isNear && children}</div>;
}
