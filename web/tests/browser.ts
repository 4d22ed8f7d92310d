/**
 * As much of a browser as modules want when they are loaded; to be imported before them. What a page looks like is
 * tested in a real one (`tests/web`).
 */
const events = () => ({ addEventListener: () => undefined, removeEventListener: () => undefined });

Object.assign(globalThis, {
    window: {
        ...events(), location: { pathname: "/", search: "", hash: "", origin: "http://127.0.0.1" }, scrollY: 0,
        history: { state: null, replaceState: () => undefined, pushState: () => undefined },
        setTimeout, clearTimeout, setInterval: () => 0, clearInterval: () => undefined, devicePixelRatio: 1,
        requestAnimationFrame: (draw: () => void) => {
            queueMicrotask(draw);
            return 1;
        },
        cancelAnimationFrame: () => undefined, matchMedia: () => ({ ...events(), matches: false }),
    },
    document: {
        ...events(), visibilityState: "visible", documentElement: {},
        querySelector: () => ({ content: "/team/aloft" }), getElementById: () => null,
    },
    getComputedStyle: () => ({ getPropertyValue: () => "#888" }),
});

export {};
