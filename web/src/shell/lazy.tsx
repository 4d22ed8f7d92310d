import { useEffect, useState, type ComponentType, type ReactElement } from "react";
import { ApiError } from "../api/client";
import { Page } from "../components/Page";
import { ErrorBox, Skeleton } from "../components/State";
import { feed } from "../core/events";

const parts: (() => Promise<void>)[] = [];

/** Milliseconds after the first page: by then it shows what it has. */
const QUIET = 2500;

/**
 * A page whose code is loaded when it is opened, or before that once nothing else is to do: then it
 * opens at once, also while the server is away or after it was replaced by a newer one.
 */
export function lazy<Props extends object>(
    load: () => Promise<ComponentType<Props>>, meanwhile: ReactElement | null = <Skeleton />,
): ComponentType<Props> {
    let ready: ComponentType<Props> | null = null;
    const begin = async () => {
        ready ??= await load();
    };
    parts.push(begin);
    return function Lazy(props: Props) {
        const [tries, setTries] = useState(0);
        const [state, setState] = useState<"waiting" | "here" | "failed">(ready === null ? "waiting" : "here");
        useEffect(() => {
            let isCurrent = true;
            begin().then(() => isCurrent && setState("here"), () => isCurrent && setState("failed"));
            return () => {
                isCurrent = false;
            };
        }, [tries]);
        useEffect(() => feed.onConnectionChange(() => feed.connected && setTries((count) => count + 1)), []);
        const Ready = ready;
        if (Ready !== null) return <Ready {...props} />;
        // A window over the page (`null`) that does not come leaves the page as it is.
        if (state !== "failed" || meanwhile === null) return meanwhile;
        return (
            <Page title="This page could not be loaded">
                <ErrorBox retry={() => setTries(tries + 1)}
                    error={new ApiError(0, "unreachable", "The server does not answer. If it was updated meanwhile, reload the window.")} />
            </Page>
        );
    };
}

/** Loads the code of all pages, one after the other, when the window has nothing else to do. */
export function prefetchAll(): () => void {
    const timer = window.setTimeout(() => {
        void (async () => {
            for (const begin of parts) await begin().catch(() => undefined);
        })();
    }, QUIET);
    return () => window.clearTimeout(timer);
}
