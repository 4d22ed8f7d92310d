/** What a field of a form says, by the data type that the model takes. */
export interface Checked {
    /** As it stands in JSON; only where nothing is wrong. */
    json?: string;
    /** What is wrong, for people. */
    fault?: string;
}

/** The ends of the whole numbers that each type holds. */
const wholeNumbers: Record<string, [bigint, bigint]> = {
    INT8: [-128n, 127n], INT16: [-32768n, 32767n], INT32: [-2147483648n, 2147483647n],
    INT64: [-9223372036854775808n, 9223372036854775807n],
    UINT8: [0n, 255n], UINT16: [0n, 65535n], UINT32: [0n, 4294967295n], UINT64: [0n, 18446744073709551615n],
};

/** The largest number that each type holds. */
const fractions: Record<string, number> = { FP16: 65504, BF16: 3.3895e38, FP32: 3.4028234663852886e38, FP64: Number.MAX_VALUE };

/** Whether what was typed is a value of the type; `null` stands for a missing value where there can be one. */
export function checked(typed: string, datatype: string): Checked {
    if (datatype === "BYTES") return { json: JSON.stringify(typed) };
    const text = typed.trim();
    if (datatype === "BOOL") {
        const word = text.toLowerCase();
        if (word === "true" || word === "1") return { json: "true" };
        if (word === "false" || word === "0") return { json: "false" };
        return { fault: "Expected true or false." };
    }
    const range = wholeNumbers[datatype];
    if (range !== undefined) return wholeNumber(text, range);
    const largest = fractions[datatype];
    if (largest !== undefined) return fraction(text, datatype, largest);
    // A type of a later server: it says itself what is wrong.
    return { json: JSON.stringify(typed) };
}

function wholeNumber(text: string, [least, most]: [bigint, bigint]): Checked {
    if (!/^[+-]?\d+$/.test(text)) return { fault: `Expected a whole number from ${least} to ${most}.` };
    const value = BigInt(text.replace(/^\+/, ""));
    if (value < least || value > most) return { fault: `Expected a whole number from ${least} to ${most}.` };
    return { json: value.toString() };
}

function fraction(text: string, datatype: string, largest: number): Checked {
    if (text === "null") return { json: "null" };
    if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
        return { fault: text === "" ? "Expected a number; null where the value is missing." : "Expected a number such as 0.5 or 1e-3, or null where the value is missing." };
    }
    const value = Number(text);
    if (!Number.isFinite(value) || Math.abs(value) > largest) return { fault: `Beyond what ${datatype} holds.` };
    return { json: String(value) };
}
