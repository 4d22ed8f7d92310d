import { withBase } from "./base";
import { routes, type Operations } from "./generated";

/** What the server refused, with its stable code. */
export class ApiError extends Error {
    constructor(
        readonly status: number, readonly code: string, message: string,
    ) {
        super(message);
    }
}

const unauthenticated = new EventTarget();

/** Calls `listener` when the server asks for a token. */
export function onTokenNeeded(listener: () => void): () => void {
    unauthenticated.addEventListener("needed", listener);
    return () => unauthenticated.removeEventListener("needed", listener);
}

interface ErrorBody {
    error?: { code: string; message: string };
    error_code?: string;
    message?: string;
}

async function failure(response: Response): Promise<ApiError> {
    let body: ErrorBody = {};
    try {
        body = (await response.json()) as ErrorBody;
    } catch {
        // Not JSON: a proxy answered, or nothing did.
    }
    const code = body.error?.code ?? body.error_code ?? `http_${response.status}`;
    const message = body.error?.message ?? body.message ?? response.statusText;
    if (response.status === 401) unauthenticated.dispatchEvent(new Event("needed"));
    return new ApiError(response.status, code, message);
}

export async function send(url: string, options: RequestInit = {}): Promise<Response> {
    let response: Response;
    try {
        response = await fetch(withBase(url), { credentials: "same-origin", ...options });
    } catch (error) {
        if (error instanceof DOMException && error.name === "AbortError") throw error;
        throw new ApiError(0, "unreachable", "The server does not answer. Is it running?");
    }
    if (!response.ok) throw await failure(response);
    return response;
}

export type QueryValues = Record<string, string | number | boolean | string[] | undefined>;

export function withQuery(url: string, values: QueryValues = {}): string {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(values)) {
        if (value === undefined) continue;
        if (Array.isArray(value)) value.forEach((item) => query.append(name, item));
        else query.set(name, String(value));
    }
    const text = query.toString();
    return text === "" ? url : `${url}?${text}`;
}

/** Keys are sent as JSON; NaN and the infinities come back as strings (see `numeric`). */
export async function sendJSON<T>(
    method: string, url: string, body?: unknown, signal?: AbortSignal,
): Promise<T> {
    const options: RequestInit = { method };
    if (signal) options.signal = signal;
    if (body !== undefined) {
        options.headers = { "Content-Type": "application/json" };
        options.body = JSON.stringify(body);
    }
    return (await (await send(url, options)).json()) as T;
}

export type OperationName = keyof Operations;

type Options<Name extends OperationName> = {
    query?: QueryValues;
} & (Operations[Name]["path"] extends undefined
    ? { path?: undefined }
    : { path: Operations[Name]["path"] }) &
    (Operations[Name]["body"] extends undefined
        ? { body?: undefined }
        : { body: Operations[Name]["body"] });

/** Calls an endpoint of `/api/v1` by its name in the server's own description. */
export async function call<Name extends OperationName>(
    name: Name, options: Options<Name>,
): Promise<Operations[Name]["reply"]> {
    const route = routes[name];
    const values = (options.path ?? {}) as Record<string, string | number>;
    const path = route.path.replace(/\{(\w+)\}/g, (_, key: string) =>
        encodeURIComponent(String(values[key] ?? "")));
    return sendJSON(route.method.toUpperCase(), withQuery(path, options.query), options.body);
}

/** A number of the protocols: NaN and the infinities are strings in JSON. */
export function numeric(value: number | string): number {
    return typeof value === "number" ? value : Number(value);
}
