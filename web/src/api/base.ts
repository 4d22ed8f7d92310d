/**
 * The path below which a reverse proxy shows this server, such as `/team/aloft`; empty at the root of its
 * host. The server writes it into the page, after it has checked it.
 */
export const base = document.querySelector<HTMLMetaElement>("meta[name=aloft-base]")?.content ?? "";

/** One of our addresses, from the root of the server, as the browser has to ask for it. */
export function withBase(address: string): string {
    return address.startsWith("/") ? base + address : address;
}

/** What programs are given as this server's address. */
export function serverAddress(): string {
    return window.location.origin + base;
}
