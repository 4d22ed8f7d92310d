import { useEffect, useRef, useState } from "react";

export function CopyButton({ text, label = "Copy", className = "" }: { text: string; label?: string; className?: string }) {
    const [done, setDone] = useState(false);
    const timer = useRef<number>();
    useEffect(() => () => window.clearTimeout(timer.current), []);
    const copy = async () => {
        await copyText(text);
        setDone(true);
        timer.current = window.setTimeout(() => setDone(false), 1500);
    };
    return (
        <button type="button" className={`copy ${className}`} onClick={() => void copy()}>
            <span aria-live="polite">{done ? "Copied" : label}</span>
        </button>
    );
}

/** Pages reached by plain HTTP on another machine have no clipboard interface. */
async function copyText(text: string): Promise<void> {
    if (navigator.clipboard !== undefined) {
        await navigator.clipboard.writeText(text);
        return;
    }
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
}

export function CodeBlock({ text, copyable = true }: { text: string; copyable?: boolean }) {
    return (
        <div className="code-box">
            <pre className="code" tabIndex={0}>{text}</pre>
            {copyable && <CopyButton text={text} />}
        </div>
    );
}
