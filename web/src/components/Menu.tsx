import { useEffect, useId, useLayoutEffect, useRef, useState, type ReactNode } from "react";

/** A panel that opens below a button; closes on Escape and on a click elsewhere. */
export function Menu({ label, children }: { label: ReactNode; children: ReactNode | ((close: () => void) => ReactNode) }) {
    const [open, setOpen] = useState(false);
    const box = useRef<HTMLDivElement>(null);
    const id = useId();
    const panel = useRef<HTMLDivElement>(null);
    // Wherever its button stands, a menu stays inside the window.
    useLayoutEffect(() => {
        const element = panel.current;
        if (!open || element === null) return;
        const { left, right } = element.getBoundingClientRect();
        const room = document.documentElement.clientWidth - 8;
        const shift = right > room ? room - right : left < 8 ? 8 - left : 0;
        if (shift !== 0) element.style.transform = `translateX(${Math.round(shift)}px)`;
    }, [open]);
    useEffect(() => {
        if (!open) return;
        const close = (event: Event) => {
            if (event instanceof KeyboardEvent) {
                if (event.key === "Escape") setOpen(false);
            } else if (!box.current?.contains(event.target as Node)) setOpen(false);
        };
        document.addEventListener("mousedown", close);
        document.addEventListener("keydown", close);
        return () => {
            document.removeEventListener("mousedown", close);
            document.removeEventListener("keydown", close);
        };
    }, [open]);
    return (
        <div className="menu" ref={box}>
            <button type="button" className="button" aria-expanded={open} aria-controls={id}
                onClick={() => setOpen(!open)}>{label}</button>
            {open && <div className="menu-panel" id={id} ref={panel}>{typeof children === "function" ? children(() => setOpen(false)) : children}</div>}
        </div>
    );
}
