/** What the unit tests use of Node. */
declare module "node:test" {
    export function test(name: string, body: () => void | Promise<void>): void;
    export function afterEach(body: () => void | Promise<void>): void;
}

declare module "node:assert/strict" {
    interface Assert {
        equal(actual: unknown, expected: unknown, message?: string): void;
        notEqual(actual: unknown, expected: unknown, message?: string): void;
        deepEqual(actual: unknown, expected: unknown, message?: string): void;
        ok(value: unknown, message?: string): void;
        match(text: string, pattern: RegExp, message?: string): void;
        rejects(promise: Promise<unknown>, expected?: object): Promise<void>;
        throws(body: () => unknown, expected?: object): void;
    }
    const assert: Assert;
    export default assert;
}
