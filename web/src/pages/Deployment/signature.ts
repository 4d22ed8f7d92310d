import type { Manifest } from "./TryIt";

export interface Tensor {
    name: string;
    datatype: string;
    shape: number[];
}

interface FilledTensor extends Tensor {
    data: unknown[];
}

export interface Signature {
    /** One field each; empty where the model takes something else than a row of values. */
    names: string[];
    /** What the fields hold first: the first row of the logged example. */
    values: string[];
    /** The request of the Open Inference Protocol for these values. */
    body: (values: string[]) => unknown;
}

/** How a row is asked for: one tensor with all columns, or a tensor a column. */
export function signatureOf(manifest: Manifest): Signature {
    const { inputs, columns } = manifest;
    const example = exampleInputs(manifest);
    const only = inputs[0];
    const width = only?.shape[only.shape.length - 1] ?? 0;
    if (inputs.length === 1 && only !== undefined && only.shape.length === 2 && width > 0) {
        const names = columns?.length === width ? columns : Array.from({ length: width }, (_, index) => `x${index}`);
        const first = (example.get(only.name)?.data ?? []).flat(2).slice(0, width);
        return {
            names, values: names.map((_, index) => String(first[index] ?? 0)),
            body: (values) => ({ inputs: [{ name: only.name, shape: [1, width], datatype: only.datatype, data: values.map((value) => cast(value, only.datatype)) }] }),
        };
    }
    const isColumns = inputs.every(({ shape }) => shape.slice(1).every((size) => size === 1));
    if (isColumns) {
        return {
            names: inputs.map(({ name }) => name),
            values: inputs.map(({ name, datatype }) => String((example.get(name)?.data ?? []).flat(2)[0] ?? (datatype === "BYTES" ? "" : 0))),
            body: (values) => ({
                inputs: inputs.map((tensor, index) => ({
                    name: tensor.name, shape: tensor.shape.map(() => 1), datatype: tensor.datatype,
                    data: [cast(values[index] ?? "", tensor.datatype)],
                })),
            }),
        };
    }
    return { names: [], values: [], body: () => manifest.example ?? { inputs: [] } };
}

function exampleInputs(manifest: Manifest): Map<string, FilledTensor> {
    const example = manifest.example as { inputs?: FilledTensor[] } | undefined;
    return new Map((example?.inputs ?? []).map((tensor) => [tensor.name, tensor]));
}

function cast(value: string, datatype: string): string | number | boolean {
    if (datatype === "BYTES") return value;
    if (datatype === "BOOL") return value === "true" || value === "1";
    return Number(value);
}
