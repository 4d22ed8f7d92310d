import { useEffect, useRef, useState } from "react";
import { call } from "../../api/client";
import { Card } from "../../components/Card";
import { CopyButton } from "../../components/Copy";
import { ErrorBox } from "../../components/State";

/** How much text is kept in the page: a log may have gigabytes. */
const KEPT = 400_000;

/** A job's log, followed while the job runs. Scrolling up stops the following. */
export function Log({ job, isLive }: { job: string; isLive: boolean }) {
    const [text, setText] = useState("");
    const [isCut, setCut] = useState(false);
    const [isDone, setDone] = useState(false);
    const [error, setError] = useState<Error | null>(null);
    const [follow, setFollow] = useState(true);
    const [wrap, setWrap] = useState(true);
    const box = useRef<HTMLPreElement>(null);

    useEffect(() => {
        let isCurrent = true;
        const read = async () => {
            let offset = 0;
            let attempt: number | undefined;
            while (isCurrent) {
                try {
                    const reply = await call("GetJobLog", { path: { job }, query: { offset, attempt, wait: offset === 0 ? 0 : 20, limit: 262_144 } });
                    if (!isCurrent) return;
                    setError(null);
                    if (reply.text !== "") {
                        setText((before) => {
                            const all = before + reply.text;
                            if (all.length <= KEPT) return all;
                            setCut(true);
                            return all.slice(all.indexOf("\n", all.length - KEPT) + 1);
                        });
                    }
                    offset = reply.nextOffset;
                    attempt = reply.attempt > 0 ? reply.attempt : undefined;
                    if (reply.isComplete) {
                        setDone(true);
                        return;
                    }
                    // A job that waits for its place has no log to wait on yet.
                    if (reply.text === "" && offset === 0) await pause(1000);
                } catch (failure) {
                    if (!isCurrent) return;
                    setError(failure as Error);
                    await pause(3000);
                }
            }
        };
        void read();
        return () => {
            isCurrent = false;
        };
    }, [job]);

    useEffect(() => {
        if (follow && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
    }, [text, follow]);
    const onScroll = () => {
        const element = box.current;
        if (element === null) return;
        setFollow(element.scrollHeight - element.scrollTop - element.clientHeight < 40);
    };

    return (
        <Card title="Log" flush side={(
            <>
                {!isDone && isLive && <span className="badge live">{follow ? "following" : "paused"}</span>}
                <label className="check"><input type="checkbox" checked={wrap} onChange={(event) => setWrap(event.target.checked)} />Wrap</label>
                <CopyButton text={text} />
            </>
        )}>
            {error !== null && <ErrorBox error={error} />}
            {isCut && <p className="offline" style={{ margin: 10 }}>Only the end is shown. All of it: <code>aloft logs {job.slice(0, 12)}</code></p>}
            <pre ref={box} className="log" tabIndex={0} onScroll={onScroll} role="log" aria-label="Log of the job"
                style={{ whiteSpace: wrap ? "pre-wrap" : "pre" }}>
                {text === "" ? (isDone ? "It wrote nothing." : "Nothing written yet.") : plain(text)}
            </pre>
        </Card>
    );
}

function pause(milliseconds: number): Promise<void> {
    return new Promise((done) => window.setTimeout(done, milliseconds));
}

/** Without the terminal's colours, and with only the last state of a progress bar. */
export function plain(text: string): string {
    // eslint-disable-next-line no-control-regex
    const bare = text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "");
    return bare.split("\n").map((line) => {
        const parts = line.replace(/\r$/, "").split("\r");
        return parts[parts.length - 1];
    }).join("\n");
}
